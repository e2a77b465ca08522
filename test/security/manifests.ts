import { PEOPLE } from '../../local/atlassian/seeds/default-people.ts';
import { CANARY } from './canaries.ts';

/** A manifest of the exercise, and how its job ends. */
export interface Errand {
  readonly target: string;
  readonly operation: string;
  readonly text: string;
  readonly ends: 'completed' | 'rejected' | 'halted';
  /** What comes with the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const errand = (
  target: string,
  operation: string,
  lines: readonly string[],
  ends: Errand['ends'] = 'completed',
): Errand => ({
  target,
  operation,
  text: `${lines.join('\n')}\n`,
  ends,
});

const account = (name: string): string => PEOPLE.find((person) => person.name === name)?.accountId ?? '';
const nobody = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${CANARY}.${index}@nowhere.example`);

/** Long enough for a report of several parts, and for its events queue to become chunks. */
const LARGE_ROWS = 1_100;
const NOTE = `${CANARY} `.repeat(900);

export const LARGE: Errand = {
  ...errand('cloud', 'creation', [
    'email,products,Note',
    ...nobody(LARGE_ROWS).map((email) => `${email.replace(/@.*/, '@example.com')},confluence,${NOTE}`),
  ]),
  metadata: { 'rollcall-approval': 'required' },
};

/** Two hundred rows with every kind of ending, by every operation on every type of target. */
export const ERRANDS: readonly Errand[] = [
  errand('cloud', 'membership', [
    'accountId,email,group,action,Note',
    `,dmitri.volkov@example.com,engineering,add,${CANARY}`,
    `${account('Farid Haddad')},,engineering,add,${CANARY}`,
    `${account('Dmitri Volkov')},,engineering,add,the same account in other terms`,
    ',anna.schmidt@example.com,engineering,add,so already',
    ',ines.alvarez@example.com,Support Team,,',
    ',ELENA.PETROVA@example.com,Support Team,remove,',
    `,nils.larsen@example.com,${CANARY} group,add,no such group`,
    ',olga.nowak@example.com,idp-everyone,add,synchronised',
    `,${CANARY} no address,engineering,add,invalid`,
    ',pedro.santos@example.com,engineering,add,contradicts',
    ',pedro.santos@example.com,engineering,remove,contradicts',
    ',keiko.tanaka@example.com,engineering,add,',
    ',keiko.tanaka@example.com,engineering,add,twice',
    ...nobody(100).map((email) => `,${email},engineering,add,=${CANARY}`),
  ]),
  errand('cloud', 'creation', [
    'emailAddress,products',
    `${CANARY}.new@example.com,jira-software`,
    `${CANARY}.wiki@example.com,confluence`,
    `${CANARY}.seat@example.com,jira-product-discovery`,
    `${CANARY}.none@example.com,${CANARY}-rocket`,
    'anna.schmidt@example.com,jira-software',
  ]),
  errand('cloud', 'email-change', [
    'old_email,new_email',
    `quinn.baker@example.com,${CANARY}.one@example.com`,
    'rosa.jimenez@example.com,quinn.baker@example.com',
    'sam.saml@example.com,sam.single@example.com',
    'sofia.scim@example.com,sofia.provisioned@example.com',
    `viktor.horvat@example.com,${CANARY}@unverified.example`,
    'stefan.braun@example.com,uma.reddy@example.com',
    `${CANARY}.swap1@example.com,${CANARY}.swap2@example.com`,
    `${CANARY}.swap2@example.com,${CANARY}.swap1@example.com`,
    ...nobody(30).map((email, index) => `${email},${CANARY}.to${index}@example.com`),
  ]),
  errand('cloud', 'suspend', ['email', 'xenia.papas@example.com', 'yusuf.demir@example.com', ...nobody(20)]),
  errand('cloud', 'restore', ['User id,email', `${account('Susan Suspended')},susan.suspended@example.com`]),
  errand('cloud', 'deactivate', [
    'accountId,message',
    `${account('Emil Sorensen')},${CANARY} leaves`,
    `${account('Sofia Scim')},`,
    `${CANARY}:unknown,`,
  ]),
  errand('cloud', 'reactivate', ['email', 'dan.deactivated@example.com', 'daria.popescu@example.com']),
  errand('data-center', 'membership', [
    'username,groupname',
    'anna,Release Managers',
    `anna,${CANARY} group`,
    `${CANARY} nobody,Release Managers`,
  ]),
  errand('data-center', 'creation', [
    'username,email,displayName',
    `${CANARY},${CANARY}@dc.example.com,${CANARY} Person`,
  ]),
  errand('data-center', 'email-change', ['username,new_email', `ben,${CANARY}.ben@dc.example.com`]),
  errand('data-center', 'suspend', ['username', 'carla', 'ldap.lena']),
  errand('data-center', 'restore', ['username', 'eva']),
  errand('nobody', 'membership', ['email,group', `${CANARY}@example.com,x`], 'rejected'),
  errand('cloud', 'membership', [`${CANARY}@example.com,no header`], 'rejected'),
  errand(
    'stolen',
    'membership',
    ['email,group', 'anna.schmidt@example.com,engineering', `${CANARY}@example.com,x`],
    'halted',
  ),
];

/** A target whose secret is wrong, so that it is read again and the job is halted. */
export const STOLEN = (url: string) => ({
  type: 'cloud',
  siteUrl: url,
  email: `${CANARY}.admin@example.com`,
  apiToken: `${CANARY}-token`,
  orgId: 'org',
  orgApiKey: `${CANARY}-key`,
  directoryId: 'dir',
  apiUrl: url,
});
