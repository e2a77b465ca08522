import { createHash, type Hash } from 'node:crypto';

import { isStored, type ObjectStore, type StoredObject, writeOnce } from '../../shared/ports.ts';
import type { Job } from '../../shared/job/job.ts';
import { jobIdOf, validationKey } from '../../shared/job/keys.ts';
import type { ValidateRequest } from '../../shared/job/messages.ts';
import type { Post } from '../../shared/job/post.ts';
import type { Validation } from '../../shared/job/validation.ts';
import { NotUtf8 } from '../../shared/manifest/encoding.ts';
import { carriedColumnsOf, type Columns, listCarried, mapHeader } from '../../shared/manifest/header.ts';
import { openManifest } from '../../shared/manifest/manifest.ts';
import { unescapeCell } from '../../shared/manifest/write-csv.ts';
import { checkSize, type ManifestLimits, ManifestRefused, refuse } from '../../shared/manifest/refusal.ts';
import { findOtherUse, foreignColumns } from '../../shared/operations/foreign-columns.ts';
import type { CellWatch, Operation } from '../../shared/operations/operation.ts';
import { UNDO } from '../../shared/operations/undo.ts';
import { type Destination, findDestination } from './destination.ts';
import { readFileOptions } from './file-options.ts';
import { findUndone, noteUndoneJob } from './undone-job.ts';
import { createCheck, type RowPorts, validateRows } from './validate-rows.ts';

export interface ValidatePorts extends RowPorts {
  readonly operations: readonly Operation[];
  readonly inbox: ObjectStore;
  readonly limits: ManifestLimits;
  readonly post: Post;
}

/**
 * Reads a whole manifest before anything is done about any of its rows, and sends an event that says what came of it. A validation
 * that was made before, because the request came twice, is only told again.
 */
export async function validate(request: ValidateRequest, ports: ValidatePorts, signal: AbortSignal): Promise<void> {
  const job = jobOf(request);
  const found = findDestination(request, ports.operations);
  if (found.kind === 'refused') {
    const refused = found.isNowhere ? { ...job, target: '', operation: '' } : job;
    const problems = found.problems.map((message) => ({ message }));
    return ports.post(job.id, { type: 'rejected', job: refused, problems });
  }
  try {
    await validateFor({ ...job, sender: found.destination.sender }, found.destination, ports, signal);
  } catch (error) {
    if (!(error instanceof ManifestRefused)) throw error;
    await ports.post(job.id, { type: 'rejected', job, problems: [...error.problems] });
  }
}

function jobOf({ bucket, key, versionId, bytes, at, principal, target: sighted }: ValidateRequest): Job {
  const [target = '', operation = ''] = key.split('/');
  const manifest = { bucket, key, versionId, bytes };
  const targetFacts = sighted?.type === 'unreadable' ? undefined : sighted;
  const uploaded = { uploadedBy: principal, manifest, startedAt: at };
  return { id: jobIdOf(manifest), target, targetFacts, operation, options: {}, ...uploaded };
}

async function validateFor(
  unread: Job,
  destination: Destination,
  ports: ValidatePorts,
  signal: AbortSignal,
): Promise<void> {
  const stored = await open(unread, ports, signal);
  const job = { ...unread, options: readOptions(unread, stored) };
  if (await isStored(ports.results, validationKey(job.id))) {
    stored.body.destroy();
    return ports.post(job.id, { type: 'validated', job });
  }
  await ports.post(job.id, { type: 'validating', job });
  const read = (again?: StoredObject, notUtf8?: NotUtf8) =>
    readManifest({ job, destination, notUtf8, stored: again ?? stored }, ports);
  const found = await read().catch(async (error: unknown) => {
    // From its start as Windows-1252 when a byte, however late, cannot be UTF-8, unless the file shows that it is.
    if (!(error instanceof NotUtf8)) throw error;
    return read(await open(job, ports, signal), error);
  });
  // Where there is one already, it is the same validation, made at the same time.
  await writeOnce(ports.results, validationKey(job.id), JSON.stringify(found));
  await ports.post(job.id, { type: 'validated', job });
}

async function open({ manifest }: Job, { inbox }: ValidatePorts, signal: AbortSignal): Promise<StoredObject> {
  const stored = await inbox.read(manifest.key, { versionId: manifest.versionId, signal });
  return stored ?? refuse('the file was taken away before it was read; upload it again');
}

function readOptions({ manifest }: Job, { metadata, body }: StoredObject): Job['options'] {
  try {
    return readFileOptions(manifest.key, metadata);
  } catch (error) {
    body.destroy();
    throw error;
  }
}

interface Reading {
  readonly job: Job;
  readonly destination: Destination;
  /** What a first reading met, where this is the second. */
  readonly notUtf8: NotUtf8 | undefined;
  readonly stored: StoredObject;
}

async function readManifest({ job, destination, notUtf8, stored }: Reading, ports: ValidatePorts): Promise<Validation> {
  const { rowFormat } = destination;
  const hash = createHash('sha256');
  try {
    const body = hashing(stored.body, hash);
    const manifest = await openManifest(body, { limits: ports.limits, notUtf8, wanted: rowFormat });
    checkSize(stored.bytes, manifest.limits);
    const header = manifest.header.cells;
    const columns = mapHeader(manifest.header, rowFormat, {
      limits: manifest.limits,
      findOtherUse: (names) => findOtherUse(names, destination, ports.operations),
    });
    const names = columns.escaped ? header.map(unescapeCell) : header;
    const watch = rowFormat.watch?.(columns.columns, listCarried(names, columns.columns));
    const undone = destination.operation === UNDO ? noteUndoneJob() : undefined;
    const check = createCheck(destination, {
      header,
      columns,
      limits: manifest.limits,
      isGuessed: notUtf8 !== undefined,
      watch,
      undone,
    });
    const rows = await validateRows({ jobId: job.id, bytes: stored.bytes, manifest, check }, ports);
    const settled = watch ? settle(watch, names) : columns;
    return {
      version: 3,
      sha256: hash.digest('hex'),
      encoding: manifest.encoding,
      delimiter: manifest.delimiter,
      header: [...header],
      columns: [...settled.columns],
      carriedColumns: [...settled.carriedColumns],
      escaped: columns.escaped,
      foreign: foreignColumns(job.operation, settled.carriedColumns, ports.operations),
      undoes: undone && (await findUndone(undone.named(), job, ports.results)),
      ...rows,
    };
  } finally {
    stored.body.destroy();
  }
}

/** What the columns mean after all, now that their cells are read. Throws ManifestRefused where nobody can tell. */
function settle(watch: CellWatch, names: readonly string[]): Pick<Columns, 'columns' | 'carriedColumns'> {
  const settled = watch.settle();
  if ('problems' in settled) throw new ManifestRefused(settled.problems);
  return { columns: settled.columns, carriedColumns: carriedColumnsOf(names, settled.columns) };
}

async function* hashing(body: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const bytes of body) {
    hash.update(bytes);
    yield bytes;
  }
}
