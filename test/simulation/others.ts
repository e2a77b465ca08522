import type { SimulatedFile } from './jobs.ts';
import type { Promises } from './promises.ts';
import type { PlannedOther } from './scenario.ts';
import type { World } from './world.ts';

/** Lets somebody else change the subject of a row, at its time. */
export function scheduleOther(
  { does, after, seconds, row }: PlannedOther,
  { wishes, site, log, jobs }: SimulatedFile,
  { world, promises }: { readonly world: World; readonly promises: Promises },
): void {
  const index = row % wishes.rows.length;
  const wish = wishes.rows[index]!; // below the length
  log.watch(index);
  const change = async (): Promise<void> => {
    const call = wish.others[does];
    if (!(await site.change(call))) return;
    world.note(() => `somebody else calls ${JSON.stringify(call)}`);
    log.touched(index);
  };
  if (after === 'start') return world.after(seconds * 1_000, change);
  let isPlanned = false;
  promises.onState(({ job: { id }, plan }) => {
    if (isPlanned || !plan?.gate || id !== jobs[0]?.id) return;
    isPlanned = true;
    world.after(seconds * 1_000, change);
  });
}
