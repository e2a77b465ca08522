import type { Cloud, DataCenter, DataCenterUser, OrganisationUser } from '../atlassian/apis.ts';
import { column, EMAIL, USERNAME } from './columns.ts';
import { defineRecipe } from './define-recipe.ts';
import { findPeople } from './find-people.ts';
import { type Access, type Asked, findProducts } from './find-products.ts';
import { findUsernames } from './find-usernames.ts';
import { type Finding, found, refused } from './finding.ts';
import { keysMissing } from './organisation-keys.ts';
import type { Cells, Operation, Sight } from './operation.ts';
import { CONFLUENCE, readProducts } from './products.ts';
import { type Parsed, quoted, readRow, sameEmail } from './read-row.ts';
import { accountThing, readUsername, usernameThing, userThing } from './references.ts';
import type { Target } from '../target.ts';

const PRODUCTS = column(
  'products',
  [],
  "Product keys separated by `,`, `;`, `|` or spaces, or `none`; where it is empty, the target's `defaultProducts`.",
);

interface CloudWish {
  readonly email: string;
  readonly products: readonly string[];
}

const cloud = defineRecipe<CloudWish, Cloud>({
  columns: [{ ...EMAIL, about: 'The address of the person to create.' }, PRODUCTS],
  required: [['email']],
  parse: parseCloud,
  claims: (wish) => ({ claims: [{ thing: userThing(wish), wish: wish.products.join(' ') }] }),
  look: async (wishes, apis, signal) => {
    const personOf = await findPeople(wishes, apis, { groups: false }, signal);
    const accessOf = await findAccess(wishes, personOf, apis, signal);
    return (wish) => sightOnCloud(wish, personOf(wish), accessOf(wish), apis);
  },
});

function parseCloud(cells: Cells, target: Target): Parsed<CloudWish> {
  const row = readRow(cells);
  const email = row.email('email');
  if (cells['email'] === undefined) row.wrong('email: it is empty; the address of the person to create is expected.');
  const defaults = target.type === 'cloud' ? (target.defaultProducts ?? []) : [];
  const products = readProducts(row, cells, defaults);
  return row.settle(email === undefined ? undefined : { email, products });
}

/** What is known of the people who are on the site already; of the others nothing has to be. */
async function findAccess(
  wishes: readonly CloudWish[],
  personOf: (wish: CloudWish) => Finding<OrganisationUser>,
  apis: Cloud,
  signal: AbortSignal,
): Promise<(wish: CloudWish) => Finding<Access>> {
  const askedBy = (wish: CloudWish): Asked | undefined => {
    const person = personOf(wish);
    if (person.kind !== 'found' || !isOnSite(person.value)) return undefined;
    return { accountId: person.value.accountId, products: wish.products };
  };
  const accessOf = await findProducts(
    wishes.flatMap((wish) => askedBy(wish) ?? []),
    apis,
    signal,
  );
  return (wish) => {
    const asked = askedBy(wish);
    return asked ? accessOf(asked) : found({ held: [], whole: false });
  };
}

function sightOnCloud(wish: CloudWish, person: Finding<OrganisationUser>, access: Finding<Access>, apis: Cloud): Sight {
  // A hit that cannot be told from the row's person is no reason against creating: Atlassian itself knows who has the address.
  const isUnknown = person.kind === 'refused' && ['USER_NOT_FOUND', 'USER_AMBIGUOUS'].includes(person.refusal.code);
  if (person.kind !== 'found' && !isUnknown) return person;
  if (access.kind !== 'found') return access;
  const user = person.kind === 'found' ? person.value : undefined;
  const { held, whole } = access.value;
  const missing = wish.products.filter((product) => !held.includes(product));
  const claims = [{ thing: user ? accountThing(user.accountId) : userThing(wish), wish: wish.products.join(' ') }];
  if (user && isOnSite(user) && missing.length === 0) return { kind: 'fulfilled', claims };
  if (missing.includes(CONFLUENCE) && !apis.organisation) {
    return { kind: 'refused', refusal: keysMissing(apis.target.name) };
  }
  const before = { exists: user !== undefined, products: whole ? held : undefined };
  return { kind: 'ready', claims, before, write: (signal) => write({ ...wish, products: missing }, apis, signal) };
}

// Whoever is suspended, or was never invited, needs the whole of what the row asks for.
const isOnSite = ({ membershipStatus }: OrganisationUser): boolean =>
  membershipStatus === undefined || membershipStatus === 'active';

// One call a row: the invite carries Jira's products too where Confluence is among them, so nobody is left with half of a row.
const write = ({ email, products }: CloudWish, { jira, organisation }: Cloud, signal: AbortSignal) =>
  products.includes(CONFLUENCE) && organisation
    ? organisation.invite({ email, products }, signal)
    : jira.createUser({ emailAddress: email, products }, signal);

interface DataCenterWish {
  readonly username: string;
  readonly emailAddress: string;
  readonly displayName: string;
}

const dataCenter = defineRecipe<DataCenterWish, DataCenter>({
  columns: [
    { ...USERNAME, about: 'The username of the person to create.' },
    { ...EMAIL, about: 'Their e-mail address.' },
    column('displayName', ['display_name'], 'Their name as Jira shows it.'),
  ],
  required: [['username'], ['email'], ['displayName']],
  parse: parseDataCenter,
  claims: (wish) => ({ claims: claimOf(wish) }),
  look: async (wishes, apis, signal) => {
    const userOf = await findUsernames(
      wishes.map(({ username }) => username),
      apis,
      signal,
    );
    return (wish) => sightOnDataCenter(wish, userOf(wish.username), apis);
  },
});

function parseDataCenter(cells: Cells): Parsed<DataCenterWish> {
  const row = readRow(cells);
  const username = readUsername(row);
  const emailAddress = row.email('email');
  const displayName = row.text('displayName');
  if (cells['email'] === undefined) row.wrong('email: it is empty; the address of the person to create is expected.');
  if (displayName === undefined) row.wrong('displayName: it is empty; the name that Jira shows is expected.');
  const isWhole = username !== undefined && emailAddress !== undefined && displayName !== undefined;
  return row.settle(isWhole ? { username, emailAddress, displayName } : undefined);
}

function sightOnDataCenter(wish: DataCenterWish, user: Finding<DataCenterUser>, apis: DataCenter): Sight {
  const claims = claimOf(wish);
  if (user.kind === 'found') {
    const present = user.value.emailAddress;
    return present !== undefined && !sameEmail(present, wish.emailAddress)
      ? refused(
          'EMAIL_MISMATCH',
          `The username ${quoted(wish.username)} is taken by somebody who has not the address ${quoted(wish.emailAddress)}.`,
        )
      : { kind: 'fulfilled', claims };
  }
  if (user.kind === 'unseen' || user.refusal.code !== 'USER_NOT_FOUND') return user;
  return {
    kind: 'ready',
    claims,
    before: { exists: false },
    write: (signal) => apis.createUser(wish, signal),
  };
}

const claimOf = ({ username, emailAddress }: DataCenterWish) => [
  { thing: usernameThing(username), wish: emailAddress.toLowerCase() },
];

/** Creates a person, with access to products; one who is there with that access is unchanged. */
export const creation: Operation = {
  name: 'creation',
  about: 'Creates a person and gives them access to products.',
  cloud,
  dataCenter,
};
