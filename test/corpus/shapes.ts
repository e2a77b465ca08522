import { refusal, report, textEntry, type Entry } from './entry.ts';

const HEAD = 'email,group\n';
const ANN = 'ann@acme.example,staff\n';
const BOB = 'bob@acme.example,staff\n';
const cells = [
  { email: 'ann@acme.example', groupName: 'staff' },
  { email: 'bob@acme.example', groupName: 'staff' },
];
const NOT_CLOSED = /a quote opens here and is never closed; close it/;
const EMPTY = /the file is empty; put a header into its first line/;

/** Quotes, blank lines, and lines that are too short or too long. */
export const SHAPES: readonly Entry[] = [
  textEntry('no last line end', HEAD + ANN + BOB.trimEnd(), report(2, { cells })),
  textEntry('blank lines everywhere', `\n\n${HEAD}\n\n${ANN}\n \t \n${BOB}\n\n\n`, report(2, { cells })),
  textEntry('lines of delimiters alone', `,,,\n${HEAD},\n${ANN},,,,\n${BOB},\n`, report(2, { cells })),
  textEntry('lines of quoted nothing', `${HEAD}"",""\n${ANN}"\u00A0",\n${BOB}`, report(2, { cells })),
  textEntry(
    'a comma at the end of every line',
    'email,group,\nann@acme.example,staff,\nbob@acme.example,staff,\n',
    report(2, { cells, carried: [] }),
  ),
  textEntry('commas at the end of rows alone', `${HEAD}ann@acme.example,staff,,,\n${BOB}`, report(2, { cells })),
  textEntry(
    'line ends of all three kinds',
    'email,group\r\nann@acme.example,staff\rbob@acme.example,staff\n',
    report(2, { cells }),
  ),
  textEntry(
    'line feed before carriage return',
    'email,group\n\rann@acme.example,staff\n\rbob@acme.example,staff',
    report(2, { cells }),
  ),
  textEntry('CR CR LF, as a doubled conversion leaves it', 'email,group\r\r\nann@acme.example,staff\r\r\n', report(1)),
  textEntry('a header alone', HEAD, report(0)),
  textEntry('a header alone without its line end', 'email,group', report(0)),
  textEntry('nothing', '', refusal(undefined, EMPTY)),
  textEntry('a byte order mark alone', '\uFEFF', refusal(undefined, EMPTY)),
  textEntry('a line end alone', '\n', refusal(undefined, EMPTY)),
  textEntry('a thousand line ends', '\r\n'.repeat(1_000), refusal(undefined, EMPTY)),
  textEntry('a sep= line alone', 'sep=;\n', refusal(undefined, EMPTY)),
  textEntry('blank quoted cells alone', '"",""\n" "\n', refusal(undefined, EMPTY)),
  textEntry('no header', ANN + BOB, refusal(1, /no header.*put one above the rows/)),
  textEntry('no header, after blank lines', `\n\n${ANN}`, refusal(3, /no header.*put one above the rows/)),
  textEntry('rows of one cell', `${HEAD}ann@acme.example\nbob@acme.example\n`, report(2, { invalid: 2 })),
  textEntry('a row that is too short', `${HEAD}${ANN}x\n${BOB}`, report(3, { invalid: 1, cells })),
  textEntry(
    'a row that is too long',
    `${HEAD}${ANN}carl@acme.example,staff,extra\n${BOB}`,
    report(3, { invalid: 1, cells }),
  ),
  textEntry(
    'a comma that should be quoted',
    `${HEAD}${ANN}carl@acme.example,staff, late\n${BOB}`,
    report(3, { invalid: 1, cells }),
  ),
  textEntry(
    'a thousand surplus cells',
    `${HEAD}${ANN}carl@acme.example,staff${',x'.repeat(1_000)}\n`,
    report(2, { invalid: 1 }),
  ),
  textEntry('an unclosed quote in the first row', `${HEAD}"ann@acme.example,staff\n${BOB}`, refusal(2, NOT_CLOSED)),
  textEntry('an unclosed quote in the last cell', `${HEAD}${ANN}bob@acme.example,"staff`, refusal(3, NOT_CLOSED)),
  textEntry('an unclosed quote in the header', `"email,group\n${ANN}`, refusal(1, NOT_CLOSED)),
  textEntry('a quote alone', '"', refusal(1, NOT_CLOSED)),
  textEntry('three quotes alone', '"""', refusal(1, NOT_CLOSED)),
  textEntry(
    'a quote that a later row seems to close',
    `${HEAD}"ann@acme.example,staff\n"bob@acme.example",staff\n`,
    refusal(2, NOT_CLOSED),
  ),
  textEntry(
    'an unclosed quote under a long file',
    `${HEAD}${BOB.repeat(3)}"${ANN.repeat(20_000)}`,
    refusal(5, NOT_CLOSED),
  ),
  textEntry('text after a closing quote', `${HEAD}"ann"@acme.example,staff\n${BOB}`, report(2, { invalid: 1 })),
  textEntry('spaces around quotes', `${HEAD}"ann@acme.example" ,staff\n${BOB}`, report(2, { cells })),
  textEntry(
    'a quote inside an unquoted cell',
    `${HEAD}ann@acme.example,5" floppy\n`,
    report(1, { cells: [{ email: 'ann@acme.example', groupName: '5" floppy' }] }),
  ),
  textEntry(
    'quotes escaped by backslashes',
    `${HEAD}ann@acme.example,"say \\"hi\\""\n${BOB}`,
    report(2, { invalid: 1 }),
  ),
  textEntry('single quotes', `${HEAD}'ann@acme.example','staff'\n`, report(1, { invalid: 1 })),
  textEntry(
    'a space before a quote in a row',
    `${HEAD}ann@acme.example, "staff"\n${BOB}`,
    report(2, { invalid: 1, cells: cells.slice(1) }),
  ),
  textEntry(
    'a space before a quote in the header',
    `email, "group", "Note"\nann@acme.example, "staff", "a, b"\n`,
    refusal(1, /Cell 2 has a space before its quote; take the space out/),
  ),
  textEntry(
    'a byte order mark before a quoted header',
    '\uFEFF"email","group"\r\n"ann@acme.example","staff"\r\n',
    report(1),
  ),
  textEntry(
    'rows that Excel left without their last delimiters',
    'email,group,action,Note\r\nann@acme.example,staff,add,\r\nbob@acme.example,staff,add\r\nbob@acme.example,other\r\n',
    report(3, {
      cells: [
        { email: 'ann@acme.example', groupName: 'staff', action: 'add' },
        { email: 'bob@acme.example', groupName: 'staff', action: 'add' },
        { email: 'bob@acme.example', groupName: 'other' },
      ],
    }),
  ),
  textEntry(
    'curly quotes',
    `${HEAD}ann@acme.example,“staff”\n`,
    report(1, { cells: [{ email: 'ann@acme.example', groupName: '“staff”' }] }),
  ),
  textEntry(
    'quoted cells of many lines',
    `${HEAD}"ann@acme.example","a\r\nb\nc\rd"\n${BOB}`,
    report(2, {
      cells: [
        { email: 'ann@acme.example', groupName: 'a\r\nb\nc\rd' },
        { email: 'bob@acme.example', groupName: 'staff' },
      ],
    }),
  ),
  textEntry('an empty quoted cell', `${HEAD}"",staff\n${BOB}`, report(2, { invalid: 1 })),
  textEntry(
    'four quotes for one',
    `${HEAD}ann@acme.example,""""\n`,
    report(1, { cells: [{ email: 'ann@acme.example', groupName: '"' }] }),
  ),
  textEntry('the same row twice', HEAD + ANN + ANN + BOB, report(3)),
  textEntry('the same row twice in other spellings', `${HEAD}${ANN} ANN@ACME.EXAMPLE ,"staff"\n`, report(2)),
  textEntry('the same row a thousand times', HEAD + ANN.repeat(1_000), report(1_000)),
  textEntry(
    'rows that contradict each other',
    `email,group,action\nann@acme.example,staff,add\nann@acme.example,staff,remove\n`,
    report(2),
  ),
  textEntry(
    'rows in a circle',
    'old_email,new_email\na@acme.example,b@acme.example\nb@acme.example,a@acme.example\n',
    report(2),
    'email-change',
  ),
  textEntry(
    'a row that gives an account its own address',
    'old_email,new_email\na@acme.example,A@acme.example\n',
    report(1),
    'email-change',
  ),
  textEntry(
    'tabs used as spaces',
    'email,group\n\tann@acme.example\t,\tstaff\t\n',
    report(1, { cells: [{ email: 'ann@acme.example', groupName: 'staff' }] }),
  ),
  textEntry('comments that CSV does not know', `# people\n#\n\n# of November\n${HEAD}${ANN}`, report(1)),
  textEntry(
    "Windows PowerShell's type line",
    `#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser\r\n"email","group"\r\n"ann@acme.example","staff"\r\n`,
    report(1),
  ),
  textEntry(
    "Windows PowerShell's type line above what is no header of ours",
    `#TYPE System.Object\r\n"mailbox","group"\r\n"ann@acme.example","staff"\r\n`,
    refusal(2, /rename "mailbox" to email/),
  ),
  textEntry(
    'a column that is called by a number sign',
    '#,email,group\n1,ann@acme.example,staff\n',
    report(1, { carried: ['#'] }),
  ),
  textEntry(
    'the title of a report, its run and a blank line',
    `Joiners,,\nRun by: HR,Run on: 2026-11-25,\n,,\nE-Mail,Group,Office\nann@acme.example,staff,Bern\nTotal: 1,,\n`,
    refusal(4, /the header is on line 4, and above it stands .*"Joiners"/),
  ),
  textEntry('a totals line below', `${HEAD}${ANN}Total: 1,\n`, report(2, { invalid: 1, cells: cells.slice(0, 1) })),
  textEntry('a title above the header', `Joiners of November\n${HEAD}${ANN}`, refusal(2, /the header is on line 2/)),
  textEntry('a sep= line with quotes', `"sep=;"\nemail;group\nann@acme.example;staff\n`, report(1, { delimiter: ';' })),
  textEntry(
    'a sep= line that Excel padded with delimiters',
    'sep=;;;\nemail;group\nann@acme.example;staff\n',
    report(1, { delimiter: ';' }),
  ),
  textEntry('a sep= line that names no delimiter', `sep=\n${HEAD}${ANN}`, report(1)),
  textEntry('a sep= line that lies', `sep=;\n${HEAD}${ANN}`, refusal(2, /a column is missing|no header/)),
  textEntry(
    'sep= a letter of the header',
    'sep=e\n"email"e"group"\n"ann@acme.example"e"staff"\n',
    report(1, { delimiter: 'e' }),
  ),
  textEntry(
    'sep= an apostrophe, with which we escape',
    `sep='\nemail'group\nann@acme.example'=x\n`,
    report(1, { delimiter: "'", cells: [{ email: 'ann@acme.example', groupName: '=x' }] }),
  ),
  textEntry('sep= an equals sign', 'sep==\nemail=group\nann@acme.example=staff\n', report(1, { delimiter: '=' })),
  textEntry('sep= a space', 'sep= \nemail group\nann@acme.example staff\n', report(1, { delimiter: ' ' })),
  textEntry(
    'sep= a no-break space',
    'sep=\u00A0\nemail\u00A0group\nann@acme.example\u00A0staff\n',
    report(1, { delimiter: '\u00A0' }),
  ),
  textEntry(
    'two delimiters at once',
    'email,group;office\nann@acme.example,staff;Bern\n',
    refusal(1, /looks like "group|a column is missing/),
  ),
  textEntry('JSON lines', '{"email":"ann@acme.example","group":"staff"}\n', refusal(undefined, /this is JSON/)),
  textEntry(
    'HTML',
    '<!DOCTYPE html><html><body>Sign in</body></html>\n',
    refusal(undefined, /this is a web page or XML/),
  ),
  textEntry('XML', '<?xml version="1.0"?><people/>\n', refusal(undefined, /this is a web page or XML/)),
];
