// The worker under the profiler of `node --cpu-prof`, which writes at a process's end, and functions are killed. SIGUSR2 ends the
// profile and writes it beside the bundle: `<process id>.cpuprofile`.
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

export { handler } from '../../../functions/worker/handler.ts';

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.start');

process.once('SIGUSR2', () => void write());

/** Under another name first: who looks for it reads it at once. */
async function write(): Promise<void> {
  const { profile } = await session.post('Profiler.stop');
  const path = new URL(`${process.pid}.cpuprofile`, import.meta.url);
  const unfinished = new URL(`${process.pid}.unfinished`, import.meta.url);
  writeFileSync(unfinished, JSON.stringify(profile));
  renameSync(unfinished, path);
}
