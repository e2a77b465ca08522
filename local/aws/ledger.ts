import { REPORT_FILES } from '../../shared/job/keys.ts';
import type { AwsCall } from './aws-call.ts';
import { isAllowed } from './permissions.ts';
import { ServiceRefusal } from './service-refusal.ts';
import type { RoleDescription } from './template/description.ts';

/** Who made calls of one kind, and how many. */
export interface RequestCount {
  /** The function whose role made them; `you` for the stack's own key. */
  readonly caller: string;
  /** As IAM names it. */
  readonly action: string;
  readonly resource: string;
  /** 0 for what another request needed besides its own action. */
  readonly requests: number;
  readonly bytes: number;
}

/** A call that its caller's role does not allow. */
export interface Violation {
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
}

/** One who calls AWS: with all rights, or with those of a role. */
export interface Caller {
  readonly name: string;
  readonly role?: RoleDescription | undefined;
}

/** Counts every call to an AWS service by its caller, and refuses what the caller's role does not allow. */
export interface Ledger {
  /** Throws ServiceRefusal (403) when the role does not allow the call. */
  readonly record: (call: AwsCall) => void;
  readonly requests: () => readonly RequestCount[];
  readonly violations: () => readonly Violation[];
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function createLedger(callerOf: (accessKeyId: string) => Caller): Ledger {
  const counts = new Map<string, Mutable<RequestCount>>();
  const violations = new Map<string, Violation>();

  const countOf = (caller: string, action: string, resource: string): Mutable<RequestCount> => {
    const key = `${caller} ${action} ${resource}`;
    const count = counts.get(key) ?? { caller, action, resource, requests: 0, bytes: 0 };
    counts.set(key, count);
    return count;
  };

  return {
    record: (call) => {
      const { name, role } = callerOf(call.accessKeyId);
      const count = countOf(name, call.action, shapeOf(call.resource));
      count.requests += 1;
      count.bytes += call.bytes ?? 0;
      // What is needed besides is no request, but is among what the caller used.
      if (call.besides) countOf(name, call.besides.action, shapeOf(call.besides.resource));
      for (const { action, resource } of call.besides ? [call, call.besides] : [call]) {
        if (role === undefined || isAllowed(role.statements, { action, resource })) continue;
        const violation = { caller: name, action, resource: shapeOf(resource) };
        violations.set(Object.values(violation).join(' '), violation);
        throw refusal(call, name);
      }
    },
    requests: () => [...counts.values()].map((count) => ({ ...count })),
    violations: () => [...violations.values()],
  };
}

function refusal({ service, action, resource }: AwsCall, caller: string): ServiceRefusal {
  const message = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the action`;
  return new ServiceRefusal(403, service === 's3' ? 'AccessDenied' : 'AccessDeniedException', message);
}

/** Parts of keys that name no person and no job. */
const OUR_WORDS: ReadonlySet<string> = new Set([
  'jobs',
  'open',
  'quarantine',
  'rows',
  'isolated',
  'claims',
  'chunks',
  'state.json',
  'validation.json',
  'order.jsonl',
  'status.json',
  ...REPORT_FILES,
]);

/** A resource with `*` for what differs from job to job: it may name a person, and there may be a million of them. */
function shapeOf(resource: string): string {
  const [, bucket, key] = /^(arn:aws:s3:::[^/]+)\/(.*)$/s.exec(resource) ?? [];
  if (bucket === undefined || key === undefined)
    return resource.replace(/^(arn:aws:secretsmanager:.*:secret:rollcall\/).*$/s, '$1*');
  const parts = key.split('/').map((part) => (OUR_WORDS.has(part) ? part : '*'));
  return `${bucket}/${parts.join('/').replace(/\*(?:\/\*)+/g, '*')}`;
}
