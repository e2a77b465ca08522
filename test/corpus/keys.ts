/** What an object under a key must lead to. */
export type KeyEnding =
  | { readonly kind: 'validated'; readonly stem: string }
  | { readonly kind: 'refused'; readonly says: RegExp }
  | { readonly kind: 'commanded'; readonly jobId: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'noticed'; readonly at: string };

export interface OddKey {
  readonly key: string;
  readonly ending: KeyEnding;
}

const manifest = (rest: string, stem: string): OddKey => ({
  key: `acme/membership/${rest}`,
  ending: { kind: 'validated', stem },
});
const refused = (key: string, says: RegExp): OddKey => ({ key, ending: { kind: 'refused', says } });
const noticed = (key: string, at: string): OddKey => ({
  key,
  ending: { kind: 'noticed', at: `rejected/control/${at}.txt` },
});

const LONGEST_KEY_BYTES = 1_024;
const FOLDER = 'acme/membership/';
const NAME_CHARACTERS = LONGEST_KEY_BYTES - FOLDER.length - '.csv'.length;

/** Keys as people, systems and attackers spell them. */
export const KEYS: readonly OddKey[] = [
  manifest('a b.csv', 'a-b'),
  manifest('a+b.csv', 'a-b'),
  manifest('a%20b.csv', 'a-20b'),
  manifest('a%2Bb%2fc.csv', 'a-2bb-2fc'),
  manifest('100%.csv', '100'),
  manifest('%.csv', 'manifest'),
  manifest('%zz.csv', 'zz'),
  manifest('é.csv', 'e'),
  manifest('e\u0301.csv', 'e'),
  manifest('Zugänge + Abgänge 100%.csv', 'zuga-nge-abga-nge-100'),
  manifest('社員.csv', 'manifest'),
  manifest('😀.csv', 'manifest'),
  manifest('a\u202Egpj.csv', 'a-gpj'),
  manifest('a\u00A0b.csv', 'a-b'),
  manifest('1/2/3/4/5/6/7/8/9/10/deep.csv', 'deep'),
  manifest('a//b.csv', 'b'),
  manifest('../../../etc/passwd.csv', 'passwd'),
  manifest('./here.csv', 'here'),
  manifest('..\\..\\windows.csv', 'windows'),
  manifest('a?versionId=null.csv', 'a-versionid-null'),
  manifest('a#b.csv', 'a-b'),
  manifest('a&b=c;d.csv', 'a-b-c-d'),
  manifest("a:b@c$d,e!f*g(h)'i~j.csv", 'a-b-c-d-e-f-g-h-i-j'),
  manifest('"quoted".csv', 'quoted'),
  manifest('<script>alert(1)</script>.csv', 'script'),
  manifest("=cmd|' /C calc'!A0.csv", 'c-calc-a0'),
  manifest('x\r\nX-Evil: 1.csv', 'x-x-evil-1'),
  manifest('__proto__.csv', 'proto'),
  manifest('UPPER.CSV', 'upper'),
  manifest('Mixed.Csv', 'mixed'),
  manifest('.csv', 'manifest'),
  manifest('.hidden.csv', 'hidden'),
  manifest('two.dots.csv', 'two-dots'),
  manifest('a.csv.csv', 'a-csv'),
  manifest(' .csv', 'manifest'),
  manifest('-.csv', 'manifest'),
  manifest(`${'x'.repeat(NAME_CHARACTERS)}.csv`, 'x'.repeat(40)),
  manifest(`${'é'.repeat(Math.floor(NAME_CHARACTERS / 2))}.csv`, 'e-'.repeat(40).slice(0, 40).replace(/-$/, '')),
  refused('acme/membership/book.xlsx', /does not end in \.csv/),
  refused('acme/membership/people.csv.exe', /does not end in \.csv/),
  refused('acme/membership/people', /does not end in \.csv/),
  refused('people.csv', /no folder of a target and an operation; expected is <target>\/<operation>/),
  refused('acme/people.csv', /no folder of a target and an operation/),
  refused('/acme/membership/people.csv', /no target ""/),
  refused('//people.csv', /no target ""/),
  refused('acme//people.csv', /no operation ""\. The operations are/),
  refused('ACME/membership/people.csv', /no target "ACME"/),
  refused('acme/Membership/people.csv', /no operation "Membership"/),
  refused('../membership/people.csv', /no target "\.\."/),
  refused('acme/../people.csv', /no operation "\.\."/),
  refused('__proto__/constructor/people.csv', /no target "__proto__"/),
  refused('acme%2Fmembership/x/people.csv', /no target "acme%2Fmembership"/),
  refused('jobs/x/state.json', /no target "jobs"/),
  refused('quarantine/intake/people.csv', /no target "quarantine"/),
  refused('rejected/membership/people.csv', /no target "rejected"/),
  refused('open/membership/people.csv', /no target "open"/),
  refused(`${'t'.repeat(900)}/membership/people.csv`, /no target "t{100}"/),
  refused('a\nb/membership/people.csv', /no target "a\\nb"/),
  { key: 'acme/membership/', ending: { kind: 'nothing' } },
  { key: 'acme/membership/folder.csv/', ending: { kind: 'nothing' } },
  { key: 'control/', ending: { kind: 'nothing' } },
  { key: 'control/people-0123456789ab/pause', ending: { kind: 'commanded', jobId: 'people-0123456789ab' } },
  noticed('control/people-0123456789ab/explode', 'people-0123456789ab/explode'),
  noticed('control/people-0123456789ab', 'people-0123456789ab'),
  noticed('control/people-0123456789ab/pause/twice', 'people-0123456789ab/pause/twice'),
  noticed('control//pause', '-/pause'),
  noticed('control/é +%/pause', '----/pause'),
  noticed('control/../pause', '--/pause'),
  noticed(`control/${'x'.repeat(200)}/pause`, `${'x'.repeat(80)}/pause`),
  noticed('control/membership/people.csv', 'membership/people-csv'),
];
