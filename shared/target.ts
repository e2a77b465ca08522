import * as z from 'zod';

/** What a target's secret may say besides where it is and how it knows us. */
export interface TargetRules {
  /** The secret that says all this. */
  readonly secretName: string;
  /** Account ids (on Data Center usernames), e-mail addresses and names of groups that no file may touch. */
  readonly protected?: readonly string[] | undefined;
  /** Files may add people to groups of admins, and take others than the last one and the protected out of them. */
  readonly allowAdminGroups?: boolean | undefined;
  /** Domains, in lower case, that people may be created in, besides the organisation's verified ones. */
  readonly allowedDomains?: readonly string[] | undefined;
  /** The day on which the credentials end; ISO 8601. */
  readonly expires?: string | undefined;
}

/** A Jira Cloud site, and its organisation where keys for that are given. */
export interface CloudTarget extends TargetRules {
  readonly type: 'cloud';
  readonly name: string;
  readonly siteUrl: string;
  readonly email: string;
  readonly apiToken: string;
  readonly orgId?: string | undefined;
  readonly orgApiKey?: string | undefined;
  /** Given with a scoped token: Jira is then called at `<apiUrl>/ex/jira/<cloudId>`. */
  readonly cloudId?: string | undefined;
  readonly directoryId?: string | undefined;
  readonly apiUrl: string;
  readonly defaultProducts?: readonly string[] | undefined;
}

/** A Jira Data Center, with any context path in its base URL. */
export interface DataCenterTarget extends TargetRules {
  readonly type: 'data-center';
  readonly name: string;
  readonly baseUrl: string;
  readonly token: string;
}

/** Whom a job is applied against. The credentials in it must never reach a log line or an error message. */
export type Target = CloudTarget | DataCenterTarget;

const name = z.string().min(1);
const cloudFacts = z.object({
  type: z.literal('cloud'),
  name,
  orgId: z.string().optional(),
  defaultProducts: z.array(z.string()).readonly().optional(),
});
const dataCenterFacts = z.object({ type: z.literal('data-center'), name });

export const targetFactsSchema = z.discriminatedUnion('type', [cloudFacts, dataCenterFacts]).readonly();

/** What checking a file has to know of its target; nothing of it is secret. */
export type TargetFacts = z.infer<typeof targetFactsSchema>;

export const sightedTargetSchema = z.discriminatedUnion('type', [
  cloudFacts,
  dataCenterFacts,
  z.object({ type: z.literal('unreadable'), message: z.string() }),
]);

/** The facts of a target, or why its secret cannot be used. */
export type SightedTarget = Readonly<z.infer<typeof sightedTargetSchema>>;

/** The facts of a target, without its credentials. */
export function factsOf(target: Target): TargetFacts {
  const { type, name: targetName } = target;
  if (type === 'data-center') return { type, name: targetName };
  const { orgId, defaultProducts } = target;
  return { type, name: targetName, orgId, defaultProducts };
}

/** What the names of the secrets of a stage's targets begin with: stages in one account have their own. */
export const secretPrefixOf = ({ name: stage }: { readonly name?: string | undefined }): string =>
  stage === undefined ? 'rollcall/' : `rollcall/${stage}/`;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A target's address without slashes at its end; `undefined` unless it is https (on this machine http, too) and has no
 * credentials, query or fragment.
 */
export function parseAddress(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname, protocol, hostname, username, password, search, hash } = new URL(text);
  if (username || password || search || hash) return undefined;
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.includes(hostname))) return undefined;
  return (origin + pathname).replace(/\/+$/, '');
}

/** Whether a token can be sent in a header: a line break that came along when it was pasted would end the header. */
export const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);
