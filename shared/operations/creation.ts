import * as z from 'zod';

import type { Cloud, DataCenter, Jira, OrganisationUser } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import type { TargetFacts } from '../target.ts';
import { column, EMAIL, quoted, readRow, telling, userKey, USERNAME, type UsernameReference } from './columns.ts';
import { sameEmail } from '../folding.ts';
import { defineRecipe, readSubjects, type Resolved } from './define-recipe.ts';
import { keysMissing } from './directory.ts';
import { findPeople, findUsers } from './find-people.ts';
import { type Finding, found, valueOf, whenFound } from './finding.ts';
import { refuseInactive } from './inactive.ts';
import type { Cells, Operation } from './operation.ts';
import { CONFLUENCE, findProducts, readProducts } from './products.ts';

const PRODUCTS = telling(
  column(
    'products',
    [],
    "Product keys separated by `,`, `;`, `|` or spaces, or `none`; where it is empty, the target's `defaultProducts`.",
  ),
);

/** A person and their products: nobody is asked about products that no row needs. */
interface CloudRow {
  readonly email: string;
  readonly products: readonly string[];
}

const PRODUCT_KEYS = z.array(z.string()).readonly();

const cloud = defineRecipe({
  columns: [{ ...EMAIL, about: 'The address of the person to create.' }, PRODUCTS],
  required: [['email']],
  change: {
    subject: z.object({ email: z.string(), accountId: z.string().optional() }),
    /** Whether somebody has the address, absent where nobody tells. Products that the person has, those of the row at least; absent where nobody told of all of them. */
    before: z.object({ exists: z.boolean().optional(), products: PRODUCT_KEYS.optional() }),
    after: z.object({ exists: z.boolean(), products: PRODUCT_KEYS }),
  },
  parse: parseCloud,
  // One product a row adds up: rows about one person, each for what it asks, take turns.
  keys: ({ email }, { products }) => [
    { subject: `${userKey({ email })} gets ${products.join(' ')}`, desired: '' },
    { subject: userKey({ email }), desired: '', inTurn: true },
  ],
  resolve: findOnCloud,
  read: async (aims, apis, signal) => {
    const rowOf = ({ subject: { email }, after: { products } }: (typeof aims)[number]) => ({ email, products });
    const resolvedOf = await findOnCloud(aims.map(rowOf), apis, signal);
    return (aim) => resolvedOf(rowOf(aim));
  },
  desired: ({ products }) => ({ exists: true, products }),
  isAsDesired: ({ products }, desired) => products !== undefined && missing(products, desired.products).length === 0,
  effect: () => 'gives',
  reversible: false,
  seats: ({ before, after }) =>
    Object.fromEntries(missing(before.products ?? [], after.products).map((product) => [product, 1])),
  domain: ({ subject: { email }, before }) => (before.exists === true ? undefined : domainOf(email)),
  // Whoever is there, and can be let in, may get what is missing, whatever the plan found.
  isSoundFrom: ({ exists, products }) => exists === true && products !== undefined,
  // One call a row: the invite carries Jira's products too where Confluence is among them, so nobody is left with half of a row.
  write: async ({ subject: { email }, before, after }, { jira, organisation }, signal) => {
    const products = missing(before.products ?? [], after.products);
    if (organisation && (products.includes(CONFLUENCE) || before.exists))
      return organisation.invite({ email, products }, signal);
    const created = await jira.createUser({ emailAddress: email, products }, signal);
    if (before.exists !== false)
      await requireProducts(created.accountId, { products, httpStatus: created.httpStatus }, jira, signal);
    return created;
  },
});

/** To somebody who has access to Jira already it answers 201 whatever it gives (Jira REST API, "Create user"): so it is looked at. */
async function requireProducts(
  accountId: string | undefined,
  { products, httpStatus }: { readonly products: readonly string[]; readonly httpStatus: number },
  jira: Jira,
  signal: AbortSignal,
): Promise<void> {
  const user = accountId === undefined ? undefined : await jira.findUser(accountId, signal);
  const lacking = missing(user?.products ?? [], products);
  if (lacking.length === 0) return;
  throw new Refusal(
    'ATLASSIAN_ERROR',
    `Jira answered ${httpStatus}, and the account has no access to ${lacking.join(', ')}. ` +
      "If this repeats, give the target's secret orgId and orgApiKey: then people who are there already are invited to the product.",
    { httpStatus, uncertain: true },
  );
}

const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase();

/** Refuses addresses of domains that are neither verified nor allowed: a slip in a domain would invite a stranger. Where nobody says which are, none is refused. */
function createDomainCheck(
  { target }: Pick<Cloud | DataCenter, 'target'>,
  verified: readonly string[] | undefined,
): (email: string) => Refusal | undefined {
  const { secretName, allowedDomains } = target;
  if (!verified && !allowedDomains) return () => undefined;
  const allowed = new Set([...(verified ?? []), ...(allowedDomains ?? [])]);
  return (email) => {
    const domain = domainOf(email);
    if (allowed.has(domain)) return undefined;
    const what = verified
      ? 'is neither verified for the organisation nor among allowedDomains'
      : 'is not among allowedDomains';
    return new Refusal('DOMAIN_NOT_ALLOWED', `The domain ${quoted(domain)} ${what} of the secret ${secretName}.`);
  };
}

const missing = (held: readonly string[], desired: readonly string[]): readonly string[] =>
  desired.filter((product) => !held.includes(product));

const ADDRESS = 'the address of the person to create';

function parseCloud(cells: Cells, target: TargetFacts) {
  const reader = readRow(cells);
  const email = reader.filled('email', ADDRESS) && reader.email('email');
  const defaults = target.type === 'cloud' ? (target.defaultProducts ?? []) : [];
  const products = readProducts(reader, cells, defaults);
  return reader.settle(email === undefined ? undefined : { email, products });
}

async function findOnCloud(rows: readonly CloudRow[], apis: Cloud, signal: AbortSignal) {
  const personOf = await findPeople(rows, apis, { groups: false }, signal);
  const onSite = rows.flatMap((row) => {
    const person = personOf(row);
    return person.kind === 'found' && isOnSite(person.value) ? [{ ...row, accountId: person.value.accountId }] : [];
  });
  const productsOf = await findProducts(onSite, apis, signal);
  const isAsAsked = (row: CloudRow): boolean => {
    const [person] = valueOf(personOf(row));
    if (!person || !isOnSite(person)) return false;
    const [held] = valueOf(productsOf({ accountId: person.accountId, products: row.products }));
    return held !== undefined && missing(held, row.products).length === 0;
  };
  const verified = rows.every(isAsAsked) ? [] : await apis.organisation?.listVerifiedDomains(signal);
  const refuseDomain = createDomainCheck(apis, verified);
  return (row: CloudRow) => {
    const { email, products } = row;
    const lacksKeys = products.includes(CONFLUENCE) && !apis.organisation;
    const refusal = lacksKeys ? keysMissing(apis.target) : refuseDomain(email);
    const person = personOf(row);
    if (person.kind === 'refused' && UNKNOWN.has(person.refusal.code)) {
      const exists = person.refusal.code === 'USER_NOT_FOUND' ? false : undefined;
      return found({ subject: { email }, state: { exists, products: undefined }, refusal });
    }
    return whenFound(person, (user) => {
      const { accountId } = user;
      const subject = { email, accountId };
      // Whoever was never invited needs the whole of what the row asks for; whoever has no access at present gets none by it.
      const state = { exists: true, products: undefined };
      if (!isOnSite(user)) return found({ subject, state, refusal: refuseInactive(user) ?? refusal });
      return whenFound(productsOf({ accountId, products }), (held) =>
        found({ subject, state: { exists: true, products: held?.toSorted() }, refusal }),
      );
    });
  };
}

// A hit that cannot be told from the row's person is no reason against creating: Atlassian itself knows who has the address.
const UNKNOWN: ReadonlySet<string> = new Set(['USER_NOT_FOUND', 'USER_AMBIGUOUS']);

const isOnSite = (user: OrganisationUser): boolean =>
  user.membershipStatus !== 'no_membership' && refuseInactive(user) === undefined;

const ON_DATA_CENTER = z.object({
  exists: z.boolean(),
  active: z.boolean().optional(),
  emailAddress: z.string().optional(),
});

const dataCenter = defineRecipe({
  columns: [
    { ...USERNAME, about: 'The username of the person to create.' },
    { ...EMAIL, about: 'Their e-mail address.' },
    column('displayName', ['display_name'], 'Their name as Jira shows it.'),
  ],
  required: [['username'], ['email'], ['displayName']],
  change: {
    subject: z.object({ username: z.string() }),
    before: ON_DATA_CENTER,
    after: z.object({ exists: z.boolean(), emailAddress: z.string(), displayName: z.string() }),
  },
  parse: parseDataCenter,
  keys: (user, { emailAddress }) => [{ subject: userKey(user), desired: emailAddress.toLowerCase() }],
  resolve: findOnDataCenter,
  read: readSubjects(findOnDataCenter),
  desired: ({ emailAddress, displayName }) => ({ exists: true, emailAddress, displayName }),
  isAsDesired: ({ exists, active, emailAddress }, desired) =>
    exists && active !== false && !isAnother(emailAddress, desired.emailAddress),
  effect: () => 'gives',
  reversible: false,
  domain: ({ after }) => domainOf(after.emailAddress),
  write: ({ subject: { username }, after: { emailAddress, displayName } }, apis, signal) =>
    apis.createUser({ username, emailAddress, displayName }, signal),
});

function parseDataCenter(cells: Cells) {
  const reader = readRow(cells);
  const user = reader.username();
  const emailAddress = reader.filled('email', ADDRESS) && reader.email('email');
  const displayName = reader.filled('displayName', 'the name that Jira shows');
  const isWhole = user && emailAddress !== undefined && displayName !== undefined;
  return reader.settle(isWhole ? { ...user, emailAddress, displayName } : undefined);
}

type NamedOnDataCenter = UsernameReference & { readonly emailAddress?: string | undefined };

async function findOnDataCenter(named: readonly NamedOnDataCenter[], apis: DataCenter, signal: AbortSignal) {
  const userOf = await findUsers(named, apis, signal);
  const refuseDomain = createDomainCheck(apis, undefined);
  return (one: NamedOnDataCenter): Finding<Resolved<UsernameReference, z.infer<typeof ON_DATA_CENTER>>> => {
    const user = userOf(one);
    if (user.kind === 'refused' && user.refusal.code === 'USER_NOT_FOUND') {
      const refusal = one.emailAddress === undefined ? undefined : refuseDomain(one.emailAddress);
      return found({ subject: { username: one.username }, state: { exists: false }, refusal });
    }
    return whenFound(user, ({ username, emailAddress, active }) =>
      found({
        subject: { username },
        state: { exists: true, active, emailAddress },
        refusal: isAnother(emailAddress, one.emailAddress) ? usernameTaken(one) : refuseInactive({ username, active }),
      }),
    );
  };
}

const isAnother = (present: string | undefined, email: string | undefined): boolean =>
  present !== undefined && email !== undefined && !sameEmail(present, email);

const usernameTaken = ({ username, emailAddress = '' }: NamedOnDataCenter): Refusal =>
  new Refusal(
    'EMAIL_MISMATCH',
    `The username ${quoted(username)} is taken by somebody who does not have the address ${quoted(emailAddress)}.`,
  );

/** Creates a person, with access to products; one who is there with that access is unchanged. */
export const creation: Operation = {
  name: 'creation',
  about: 'Creates a person and gives them access to products.',
  cloud,
  dataCenter,
};
