import { parse } from 'csv-parse';

import { surveyKey } from '../../shared/job/keys.ts';
import type { State } from '../../shared/job/state.ts';
import { type Survey, surveySchema } from '../../shared/job/survey.ts';
import type { ReportPorts } from './report.ts';

export interface ManifestRow {
  readonly row: number;
  readonly line: number;
  readonly cells: readonly string[];
}

/** A manifest that is read again: its header as written, and its rows in order. */
export interface ManifestRows {
  readonly header: readonly string[];
  readonly rows: AsyncIterable<ManifestRow>;
}

/** Opens a surveyed job's manifest; `undefined` when it, or what its survey found, is gone. */
export async function openManifest(ports: ReportPorts, { job }: State): Promise<ManifestRows | undefined> {
  const survey = await ports.results.read(surveyKey(job.id));
  const manifest = await ports.inbox.read(job.manifest.key, { versionId: job.manifest.versionId });
  if (!survey || !manifest) return undefined;
  return rowsOf(surveySchema.parse(JSON.parse(await survey.text())), manifest.body);
}

async function rowsOf(survey: Survey, body: import('node:stream').Readable): Promise<ManifestRows> {
  const parser = body.pipe(parse({ delimiter: survey.delimiter, bom: true, relax_column_count: true, info: true }));
  const iterator = parser[Symbol.asyncIterator]();
  const header = (await iterator.next()).value.record;
  async function* rows() {
    let row = 0;
    for await (const { record, info } of { [Symbol.asyncIterator]: () => iterator })
      yield { row: row++, line: info.lines, cells: record };
  }
  return { header, rows: rows() };
}
