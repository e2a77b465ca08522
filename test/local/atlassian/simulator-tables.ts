import { defaultBehaviour } from '../../../local/atlassian/server/behaviour.ts';
import { CONTROL_REQUESTS } from '../../../local/atlassian/server/control.ts';
import {
  DATA_CENTER_GROUPS,
  DATA_CENTER_PEOPLE,
  GROUPS,
  PEOPLE,
  PARTICULAR,
} from '../../../local/atlassian/seeds/default-people.ts';
import type { Route } from '../../../local/atlassian/routes/call.ts';
import { SWITCHES } from '../../../local/atlassian/routes/switches.ts';
import { BASES, endpointName, isWrite, ROUTES } from '../../../local/atlassian/server/router.ts';

type Table = readonly (readonly string[])[];

/** The tables of docs/simulator.md, made from what the server goes by; the first row is the head. */
export const TABLES: Readonly<Record<string, () => Table>> = {
  control: () => [
    ['Request', 'What it does'],
    ...Object.entries(CONTROL_REQUESTS).map(([name, about]) => [code(name), about]),
  ],
  switches: () => [
    ['Switch', 'Default', 'Others', 'What it decides, and why'],
    ...Object.entries(SWITCHES).map(([name, { values, about }]) => {
      const [first, ...others] = values;
      return [code(name), code(first), others.map(code).join(', '), about];
    }),
  ],
  behaviour: () => [
    ['Setting', 'Default'],
    ...leaves(defaultBehaviour())
      .filter(([name]) => !name.startsWith('switches.'))
      .map(([name, value]) => [code(name), code(JSON.stringify(value))]),
  ],
  routes: () => [['Request', 'Query', 'What it does'], ...ROUTES.map(routeRow)],
  bases: () => [
    ['API', 'Below'],
    ...Object.entries(BASES).map(([api, bases]) => [api, bases.map((base) => code(base || '/')).join(', ')]),
  ],
  people: () => [
    ['Address', 'Account id', 'Name', 'What is particular'],
    ...PEOPLE.map(({ email, accountId, name }) => [
      email,
      code(accountId),
      name,
      PARTICULAR.find((one) => one.accountId === accountId)?.about ?? '',
    ]),
  ],
  groups: () => [
    ['Group', 'Group id', 'Members', 'What is particular'],
    ...GROUPS.map(({ name, groupId, members = [], about }) => [
      code(name),
      code(groupId),
      String(members.length),
      about,
    ]),
  ],
  'data-center-people': () => [
    ['Username', 'Address', 'What is particular'],
    ...DATA_CENTER_PEOPLE.map(({ username, emailAddress, about }) => [code(username), emailAddress, about]),
  ],
  'data-center-groups': () => [
    ['Group', 'Members', 'What is particular'],
    ...DATA_CENTER_GROUPS.map(({ name, members = [], about }) => [code(name), members.map(code).join(', '), about]),
  ],
};

/** The page with its marked tables as they should be; a table whose cells are right is left as it is laid out. */
export const withTables = (page: string): string =>
  page.replaceAll(
    /<!-- table: ([a-z-]+) -->\n([\s\S]*?)<!-- \/table -->/g,
    (marked: string, name: string, present: string) => {
      const table = TABLES[name]?.();
      if (!table) throw new Error(`docs/simulator.md marks a table ${name} that nothing makes`);
      const same = JSON.stringify(cellsOf(present)) === JSON.stringify(table);
      return same ? marked : `<!-- table: ${name} -->\n\n${rendered(table)}\n\n<!-- /table -->`;
    },
  );

const code = (text: string): string => `\`${text}\``;

function routeRow(route: Route): readonly string[] {
  const reads = route.method === 'POST' && !isWrite(route) ? ' (reads only)' : '';
  return [code(endpointName(route)), (route.query ?? []).map(code).join(', '), route.about + reads];
}

/** Every value of a nested object, by its path. */
function leaves(value: object, prefix = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? leaves(child, `${prefix}${key}.`)
      : [[`${prefix}${key}`, child] as const],
  );
}

const escaped = (cell: string): string => cell.replaceAll('|', '\\|');

function rendered([head = [], ...rows]: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cellsOf(markdown: string): Table {
  const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
  return lines
    .filter((line) => !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}
