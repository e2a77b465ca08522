import { randomBytes } from 'node:crypto';

import { COMMANDS } from '../../shared/job/job.ts';
import { NOTICE_PREFIX, REPORT_FILES } from '../../shared/job/keys.ts';
import { ServiceRefusal } from './service-refusal.ts';
import type { RoleDescription, Statement } from './template/description.ts';

/** IAM of one run of the stack: every caller has a key of its own, and every call is counted and checked against its caller's role. */
export interface AccessControl {
  readonly issueKey: (caller: Caller) => AccessKey;
  /** The secret of a key, or `undefined` when nobody has it. */
  readonly secretOf: (accessKeyId: string) => string | undefined;
  /** Counts a call whose signature holds; throws ServiceRefusal (403) when the caller's role does not allow it. */
  readonly authorize: (call: AwsCall) => void;
  readonly requests: () => readonly RequestCount[];
  readonly violations: () => readonly Violation[];
}

/** One who calls AWS: with all rights, or with those of a role. */
export interface Caller {
  readonly name: string;
  readonly role?: RoleDescription | undefined;
}

/** A key as the AWS SDKs take it. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One authenticated request to an AWS service: what has to be allowed by the role of whoever made it. */
export interface AwsCall {
  readonly service: 's3' | 'sqs' | 'sns' | 'secretsmanager' | 'lambda';
  /** As IAM names it, e.g. `s3:GetObject`. */
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** Whose key signed it. */
  readonly accessKeyId: string;
  /** What must be allowed besides: reading the source of a copy; listing, as S3 says 403, not 404, to who may not list. */
  readonly besides?: readonly Requested[] | undefined;
  /** Bytes of the body that was sent or asked for, where it is known. */
  readonly bytes?: number | undefined;
}

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

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function createAccessControl(): AccessControl {
  const holders = new Map<string, { readonly caller: Caller; readonly secretAccessKey: string }>();
  const counts = new Map<string, Mutable<RequestCount>>();
  const violations = new Map<string, Violation>();

  const countOf = (caller: string, action: string, resource: string): Mutable<RequestCount> => {
    const key = `${caller} ${action} ${resource}`;
    const count = counts.get(key) ?? { caller, action, resource, requests: 0, bytes: 0 };
    counts.set(key, count);
    return count;
  };

  return {
    issueKey: (caller) => {
      const key = createKey();
      holders.set(key.accessKeyId, { caller, secretAccessKey: key.secretAccessKey });
      return key;
    },
    secretOf: (accessKeyId) => holders.get(accessKeyId)?.secretAccessKey,
    authorize: (call) => {
      const holder = holders.get(call.accessKeyId);
      if (!holder) throw new Error(`Nobody has the access key ${call.accessKeyId}, so its signature was not checked.`);
      const { name, role } = holder.caller;
      const count = countOf(name, call.action, shapeOf(call.resource));
      count.requests += 1;
      count.bytes += call.bytes ?? 0;
      const { besides = [] } = call;
      // What is needed besides is no request, but is among what the caller used.
      for (const { action, resource } of besides) countOf(name, action, shapeOf(resource));
      for (const { action, resource } of [call, ...besides]) {
        if (role === undefined || isAllowed(role.statements, { action, resource })) continue;
        const violation = { caller: name, action, resource: shapeOf(resource) };
        violations.set(Object.values(violation).join(' '), violation);
        throw notAuthorized({ ...call, action, resource }, name);
      }
    },
    requests: () => [...counts.values()].map((count) => ({ ...count })),
    violations: () => [...violations.values()],
  };
}

const createKey = (): AccessKey => ({
  accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase().slice(0, 15)}`,
  secretAccessKey: randomBytes(30).toString('base64url'),
});

function notAuthorized({ service, action, resource }: AwsCall, caller: string): ServiceRefusal {
  const message = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the action`;
  return new ServiceRefusal(403, service === 's3' ? 'AccessDenied' : 'AccessDeniedException', message);
}

type Requested = Pick<AwsCall, 'action' | 'resource'>;

/** Whether a role's statements allow a call: some statement does, and none denies it. */
export function isAllowed(statements: readonly Statement[], call: Requested): boolean {
  const matching = statements.filter((statement) => concerns(statement, call));
  return matching.some(({ effect }) => effect === 'Allow') && !matching.some(({ effect }) => effect === 'Deny');
}

const concerns = ({ actions, resources }: Statement, { action, resource }: Requested): boolean =>
  actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
  resources.some((pattern) => matches(pattern, resource));

const expressions = new Map<string, RegExp>();

/** IAM's patterns: `*` is any text, `?` any one character. */
function matches(pattern: string, text: string): boolean {
  const expression = expressions.get(pattern) ?? expressionOf(pattern);
  expressions.set(pattern, expression);
  return expression.test(text);
}

function expressionOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

/** Parts of keys that name no person and no job. */
const OUR_WORDS: ReadonlySet<string> = new Set([
  'jobs',
  'open',
  'quarantine',
  'rows',
  'plan',
  'control',
  'isolated',
  'told',
  'credentials',
  'ledger',
  'chunks',
  'state.json',
  'validation.json',
  'dead-letters.json',
  'status.json',
  'status.html',
  ...COMMANDS,
  ...REPORT_FILES,
]);

/** A resource with `*` for what differs from job to job: it may name a person, and there may be a million of them. */
function shapeOf(resource: string): string {
  const [, bucket, key] = /^(arn:aws:s3:::[^/]+)\/(.*)$/s.exec(resource) ?? [];
  if (bucket === undefined || key === undefined)
    return resource.replace(/^(arn:aws:secretsmanager:.*:secret:rollcall\/).*$/s, '$1*');
  // A job that was rejected has a folder like any other's; notices on commands are no job's.
  const isNotice = key.startsWith(NOTICE_PREFIX);
  const parts = key.split('/').map((part) => (OUR_WORDS.has(part) || (isNotice && part === 'rejected') ? part : '*'));
  return `${bucket}/${parts.join('/').replace(/\*(?:\/\*)+/g, '*')}`;
}
