import { spawnSync } from 'node:child_process';

import { auditVerdict } from './audit-verdict.ts';

const WAIT_MS = 60_000;

// Only what is deployed or runs for a user: tools of development see no file of theirs.
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: WAIT_MS });
const verdict = auditVerdict(stdout ?? '');
switch (verdict.kind) {
  case 'unanswered':
    console.log(`npm audit: the registry answers no audits (${verdict.reason}), so no dependency was checked.`);
    break;
  case 'clean':
    console.log(
      `npm audit: ${verdict.packages} packages checked, no high or critical finding in production dependencies.`,
    );
    break;
  case 'vulnerable':
    console.error(`npm audit: production dependencies have findings; update them:\n  ${verdict.findings.join('\n  ')}`);
    process.exitCode = 1;
}
