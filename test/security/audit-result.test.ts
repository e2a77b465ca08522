import { expect, it } from 'vitest';

import { judgeAudit } from './audit-result.ts';

const answer = (...severities: readonly string[]): string =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: Object.fromEntries(
      severities.map((severity, index) => [`p${index}`, { name: `p${index}`, severity, range: '<1.0.0', via: [] }]),
    ),
    metadata: { vulnerabilities: {}, dependencies: { prod: 10, dev: 0, total: 10 } },
  });

it.each([
  [
    'a registry that refuses audits',
    '{"message":"405 Method Not Allowed - POST https://r.example","statusCode":405}',
    { kind: 'unanswered', reason: 'it answered 405' },
  ],
  ['no network', 'npm error code ENOTFOUND', { kind: 'unanswered', reason: 'it could not be reached' }],
  ['no output at all', '', { kind: 'unanswered', reason: 'it could not be reached' }],
  ['no findings', answer(), { kind: 'clean', packages: 10 }],
  ['findings that are not serious', answer('low', 'moderate'), { kind: 'clean', packages: 10 }],
  ['a high one', answer('low', 'high'), { kind: 'vulnerable', findings: ['p1 <1.0.0: high'] }],
  ['a critical one', answer('critical'), { kind: 'vulnerable', findings: ['p0 <1.0.0: critical'] }],
])('reads %s for what it is', (_, printed, taskResult) => {
  expect(judgeAudit(printed)).toEqual(taskResult);
});
