import { findingName, type Finding } from '../../shared/atlassian/check-credentials.ts';
import type { Notice } from '../../shared/notice.ts';
import { withoutAddresses } from './without-people.ts';

/** What is told of a target's credentials. */
export function credentialsNotice(
  finding: Finding,
  { at, secretName }: { readonly at: Date; readonly secretName: string },
): Notice {
  const { target, message, remedy } = finding;
  return {
    version: 1,
    id: `${target}/${findingName(finding, at)}`,
    at: at.toISOString(),
    state: 'credentials',
    urgency: 'act',
    target,
    title: titleOf(finding),
    sentences: [withoutAddresses(message), remedy],
    reasons: [],
    failures: [],
    next: [
      {
        purpose: 'Change the secret, whole, from a file',
        command: `aws secretsmanager put-secret-value --secret-id ${secretName} --secret-string file://secret.json`,
      },
    ],
  };
}

function titleOf({ target, kind, days = 0 }: Finding): string {
  if (kind === 'refused') return `Credentials do not work: ${target}`;
  if (days < 0) return `Credentials have ended: ${target}`;
  return `Credentials end ${days === 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${days} days`}: ${target}`;
}
