import { column, quoted, readRow } from './columns.ts';
import type { RowFormat } from './operation.ts';

/** The folder of undo.csv files, and what their rows say that they are of. */
export const UNDO = 'undo';

const ROW_NUMBER = /^\d{1,7}$/;

/** The rows of an undo.csv: they name a row of a job that changed something; who, from and to are for people, and must stand as they were written. */
export const undoFormat: RowFormat = {
  columns: [
    column('job', [], 'The job whose rows are taken back; one job a file.'),
    column('row', [], 'The row of that job, counted from 0.'),
    column('who', [], 'Who and what the row is about, as the report names them.'),
    column('from', [], 'How it stands since the job.'),
    column('to', [], 'How it was before, and shall be again.'),
  ],
  required: [['job'], ['row'], ['who'], ['from'], ['to']],
  check: (cells) => {
    const reader = readRow(cells);
    const job = reader.filled('job', 'the job that its undo.csv names');
    const row = reader.filled('row', 'the number of a row of that job');
    if (row !== undefined && !ROW_NUMBER.test(row)) reader.wrong(`row: ${quoted(row)} is not the number of a row.`);
    const settled = reader.settle(job === undefined ? undefined : { job, row });
    return 'problems' in settled ? settled.problems : [];
  },
};
