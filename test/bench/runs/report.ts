import { peakMiB } from '../../peak-memory.ts';

/** What a program says of itself when it is done: figures, and the most memory it held. */
export interface RunReport {
  readonly figures: Readonly<Record<string, number>>;
  readonly peakMiB: number;
  /** Of all threads of the process; what else the machine does lengthens seconds, but hardly these. */
  readonly cpuSeconds: number;
}

/** Ends a program of test/bench/runs: tells its parent, or whoever ran it by hand. */
export function report(figures: RunReport['figures']): void {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  const message: RunReport = { figures, peakMiB: peakMiB(), cpuSeconds };
  if (!process.send) console.log(message);
  else process.send(message, () => process.disconnect());
}
