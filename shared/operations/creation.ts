import * as z from 'zod';

import type { Cloud, DataCenter, OrganisationUser } from '../atlassian/apis.ts';
import { Refusal } from '../atlassian/errors.ts';
import type { Target } from '../target.ts';
import { column, EMAIL, quoted, readRow, sameEmail, userKey, USERNAME, type UsernameReference } from './columns.ts';
import { keysMissing } from './directory.ts';
import { findPeople, findUsers } from './find-people.ts';
import { found, whenFound } from './finding.ts';
import { type Cells, defineRecipe, type Operation } from './operation.ts';
import { CONFLUENCE, findProducts, readProducts } from './products.ts';

const PRODUCTS = column(
  'products',
  [],
  "Product keys separated by `,`, `;`, `|` or spaces, or `none`; where it is empty, the target's `defaultProducts`.",
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
    subject: z.object({ email: z.string(), accountId: z.string().optional(), products: PRODUCT_KEYS }),
    /** The products that the person has; absent where nobody told of all that the row asks for. */
    before: z.object({ exists: z.boolean(), products: PRODUCT_KEYS.optional() }),
    after: z.object({ exists: z.boolean(), products: PRODUCT_KEYS }),
  },
  parse: parseCloud,
  keys: ({ email, accountId }: { readonly email: string; readonly accountId?: string | undefined }, { products }) => [
    { subject: userKey(accountId === undefined ? { email } : { accountId }), desired: products.join(' ') },
  ],
  resolve: findOnCloud,
  read: findOnCloud,
  desired: ({ products }) => ({ exists: true, products }),
  isAsDesired: ({ products }, desired) => products !== undefined && missing(products, desired.products).length === 0,
  // One call a row: the invite carries Jira's products too where Confluence is among them, so nobody is left with half of a row.
  write: ({ subject: { email }, before, after }, { jira, organisation }, signal) => {
    const products = missing(before.products ?? [], after.products);
    return products.includes(CONFLUENCE) && organisation
      ? organisation.invite({ email, products }, signal)
      : jira.createUser({ emailAddress: email, products }, signal);
  },
});

const missing = (held: readonly string[], desired: readonly string[]): readonly string[] =>
  desired.filter((product) => !held.includes(product));

const ADDRESS = 'the address of the person to create';

function parseCloud(cells: Cells, target: Target) {
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
  return (row: CloudRow) => {
    const { email, products } = row;
    const refusal = products.includes(CONFLUENCE) && !apis.organisation ? keysMissing(apis.target.name) : undefined;
    const person = personOf(row);
    if (person.kind === 'refused' && UNKNOWN.has(person.refusal.code)) {
      return found({ subject: { email, products }, state: { exists: false, products: undefined }, refusal });
    }
    return whenFound(person, (user) => {
      const { accountId } = user;
      const subject = { email, accountId, products };
      // Whoever is suspended, or was never invited, needs the whole of what the row asks for.
      if (!isOnSite(user)) return found({ subject, state: { exists: true, products: undefined }, refusal });
      return whenFound(productsOf({ accountId, products }), (held) =>
        found({ subject, state: { exists: true, products: held }, refusal }),
      );
    });
  };
}

// A hit that cannot be told from the row's person is no reason against creating: Atlassian itself knows who has the address.
const UNKNOWN: ReadonlySet<string> = new Set(['USER_NOT_FOUND', 'USER_AMBIGUOUS']);

const isOnSite = ({ membershipStatus }: OrganisationUser): boolean =>
  membershipStatus === undefined || membershipStatus === 'active';

const dataCenter = defineRecipe({
  columns: [
    { ...USERNAME, about: 'The username of the person to create.' },
    { ...EMAIL, about: 'Their e-mail address.' },
    column('displayName', ['display_name'], 'Their name as Jira shows it.'),
  ],
  required: [['username'], ['email'], ['displayName']],
  change: {
    subject: z.object({ username: z.string() }),
    before: z.object({ exists: z.boolean(), emailAddress: z.string().optional() }),
    after: z.object({ exists: z.boolean(), emailAddress: z.string(), displayName: z.string() }),
  },
  parse: parseDataCenter,
  keys: (user: UsernameReference, { emailAddress }) => [
    { subject: userKey(user), desired: emailAddress.toLowerCase() },
  ],
  resolve: findOnDataCenter,
  read: findOnDataCenter,
  desired: ({ emailAddress, displayName }) => ({ exists: true, emailAddress, displayName }),
  isAsDesired: ({ exists, emailAddress }, desired) => exists && !isAnother(emailAddress, desired.emailAddress),
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
  return (one: NamedOnDataCenter) => {
    const user = userOf(one);
    if (user.kind === 'refused' && user.refusal.code === 'USER_NOT_FOUND') {
      return found({ subject: { username: one.username }, state: { exists: false, emailAddress: undefined } });
    }
    return whenFound(user, ({ username, emailAddress }) =>
      found({
        subject: { username },
        state: { exists: true, emailAddress },
        refusal: isAnother(emailAddress, one.emailAddress) ? usernameTaken(one) : undefined,
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
