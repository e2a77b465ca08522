import { refusal, report, textEntry, type Entry } from './entry.ts';

const ACCOUNT = '5b10a2844c20165700ede21f';
const cells = [{ email: 'ann@acme.example', groupName: 'staff' }];

interface Spelt {
  readonly what: string;
  readonly header: string;
}

/** Headers of `email` and `groupName` as exports, articles and people spell them. */
const SPELT: readonly Spelt[] = [
  { what: 'in capitals', header: 'EMAIL,GROUP' },
  { what: 'in words', header: 'E-Mail Address,Group name' },
  { what: 'with underscores', header: 'email_address,group_name' },
  { what: 'in camel case', header: 'emailAddress,groupName' },
  { what: 'with spaces around it', header: ' email , group ' },
  { what: 'with no-break spaces', header: 'Email\u00A0address,Group\u00A0name' },
  { what: 'with zero-width spaces around it', header: '\u200Bemail\u200B,\uFEFFgroup' },
  { what: 'in quotes', header: '"email","group"' },
  { what: 'with hyphens', header: 'e-mail,group-name' },
  { what: 'behind hyphens, as a list', header: '- email,- group' },
  { what: 'behind tabs', header: '\temail,\tgroup' },
];

const spelt = ({ what, header }: Spelt): Entry =>
  textEntry(`a header ${what}`, `${header}\nann@acme.example,staff\n`, report(1, { cells, carried: [] }));

interface Wrong {
  readonly what: string;
  readonly header: string;
  readonly says: RegExp;
  readonly operation?: string;
}

const MISSPELT = /looks like ".*" misspelt; rename it/;
const WRONG: readonly Wrong[] = [
  { what: 'a swapped letter', header: 'emial,group', says: MISSPELT },
  { what: 'a dropped letter', header: 'emai,group', says: MISSPELT },
  { what: 'a doubled letter', header: 'email,groupp', says: MISSPELT },
  { what: 'a plural', header: 'emails,group', says: MISSPELT },
  { what: 'a misspelt optional column', header: 'email,group,acton', says: MISSPELT },
  { what: 'a misspelt id', header: 'acount_id,group', says: MISSPELT },
  { what: 'no group', header: 'email,office', says: /a column is missing: add group/ },
  { what: 'no person', header: 'office,group', says: /a column is missing: add (accountId|email)/ },
  { what: 'a doubled column', header: 'email,group,email', says: /"email" and "email" both mean email; keep one/ },
  { what: 'two aliases of one column', header: 'email,emailAddress,group', says: /both mean email; keep one/ },
  { what: 'one column a hundred times', header: `${'email,'.repeat(100)}group`, says: /both mean email; keep one/ },
  { what: 'names that are numbers', header: '1,2', says: /a column is missing: add .*; the file has "1", "2"/ },
  { what: 'names of another language', header: 'Correo,Grupo', says: /no header|a column is missing/ },
  { what: 'our own columns alone', header: 'rollcall_line,rollcall_status', says: /no header|a column is missing/ },
  {
    what: 'no new address',
    header: 'old_email,office',
    says: /a column is missing: add new/i,
    operation: 'email-change',
  },
  { what: 'no old address', header: 'new_email,office', says: /a column is missing: add/, operation: 'email-change' },
  { what: 'no user', header: 'office,message', says: /a column is missing: add|no header/, operation: 'deactivate' },
];

const wrong = ({ what, header, says, operation }: Wrong): Entry =>
  textEntry(`a header with ${what}`, `${header}\nann@acme.example,staff,x\n`, refusal(1, says), operation);

const EXPORTS: readonly Entry[] = [
  textEntry(
    "the users export of Atlassian's administration",
    'User id,User name,email,User status,Added to org,Org role,Last seen in Jira - acme,group\n' +
      `${ACCOUNT},Ann Author,ann@acme.example,Active,01 Jan 2024,User,Never accessed,staff\n`,
    report(1, {
      cells: [{ accountId: ACCOUNT, ...cells[0] }],
      carried: ['User name', 'User status', 'Added to org', 'Org role', 'Last seen in Jira - acme'],
    }),
  ),
  textEntry(
    'the four columns of the Postman article',
    `userid,email,groupid,group\n${ACCOUNT},ann@acme.example,2f0b3d1c-0000-4000-8000-000000000001,staff\n`,
    report(1, {
      cells: [{ accountId: ACCOUNT, ...cells[0], groupId: '2f0b3d1c-0000-4000-8000-000000000001' }],
      carried: [],
    }),
  ),
  textEntry(
    'an export whose Username is a display name',
    'Username,email,group\nAnn Author,ann@acme.example,staff\n',
    report(1, { cells, carried: ['Username'] }),
  ),
  textEntry(
    'a file of the personnel department',
    'Personalnr.;Nachname;Vorname;E-Mail;Group;Kostenstelle\r\n0001;Author;Ann;ann@acme.example;staff;+49\r\n',
    report(1, { cells, delimiter: ';', carried: ['Personalnr.', 'Nachname', 'Vorname', 'Kostenstelle'] }),
  ),
  textEntry('columns without a name', 'email,,group,\nann@acme.example,x,staff,y\n', report(1, { cells, carried: [] })),
  textEntry(
    'the names of what every object has',
    'email,group,__proto__,constructor,toString\nann@acme.example,staff,a,b,c\n',
    report(1, { cells, carried: ['__proto__', 'constructor', 'toString'] }),
  ),
  textEntry(
    'a report of ours',
    "\uFEFFemail,group,rollcall_line,rollcall_status\r\nann@acme.example,'=staff,7,failed\r\n",
    report(1, { cells: [{ email: 'ann@acme.example', groupName: '=staff' }], carried: [] }),
  ),
  textEntry(
    'a report of ours without its lines, whose cells are escaped all the same',
    "email,group,rollcall_status\r\nann@acme.example,'=staff,failed\r\n",
    report(1, { cells: [{ email: 'ann@acme.example', groupName: '=staff' }], carried: [] }),
  ),
  textEntry(
    'a thousand columns',
    `email,group${Array.from({ length: 998 }, (_, index) => `,extra ${index}`).join('')}\nann@acme.example,staff${',x'.repeat(998)}\n`,
    report(1, { cells }),
  ),
  textEntry(
    'products in every separator',
    'email,products\nann@acme.example,"jira-software, confluence;jira-core|jira-servicedesk"\n',
    report(1),
    'creation',
  ),
  textEntry(
    'products that do not exist',
    'email,products\nann@acme.example,teams\n',
    report(1, { invalid: 1 }),
    'creation',
  ),
  textEntry(
    'an organisation that is another',
    'email,org_id\nann@acme.example,other\n',
    report(1, { invalid: 1 }),
    'suspend',
  ),
  textEntry(
    'an account id that leaves its path',
    'accountId\n../../../admin\na/b\na%2Fb\n..\n5b10a2844c20165700ede21f\n',
    report(5, { invalid: 4 }),
    'deactivate',
  ),
];

/** Headers: as others spell them, wrong ones, and those of exports. */
export const HEADERS: readonly Entry[] = [...SPELT.map(spelt), ...WRONG.map(wrong), ...EXPORTS];
