import { existsSync, readFileSync } from 'node:fs';

const STATUS = '/proc/self/status';

/** The most memory that this process has held, in MiB. Linux's `maxRSS` begins at what the parent held at the fork, so the kernel's own mark is read there (proc_pid_status(5)). */
export function peakMiB(): number {
  const kibibytes = existsSync(STATUS)
    ? Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(STATUS, 'utf8'))?.[1])
    : process.resourceUsage().maxRSS;
  return kibibytes / 1_024;
}
