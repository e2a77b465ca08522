import { spawnSync } from 'node:child_process';

import { judgeAudit } from './audit-result.ts';

const WAIT_MS = 60_000;

// Only what is deployed or runs for a user: tools of development see no file of theirs.
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: WAIT_MS });
const taskResult = judgeAudit(stdout ?? '');
switch (taskResult.kind) {
  case 'unanswered':
    console.log(`npm audit: the registry answers no audits (${taskResult.reason}), so no dependency was checked.`);
    break;
  case 'clean':
    console.log(
      `npm audit: ${taskResult.packages} packages checked, no high or critical finding in production dependencies.`,
    );
    break;
  case 'vulnerable':
    console.error(
      `npm audit: production dependencies have findings; update them:\n  ${taskResult.findings.join('\n  ')}`,
    );
    process.exitCode = 1;
}
