import { describe, expect, it } from 'vitest';

import { describeOddities, foldCase, foldName, sameEmail } from '../../shared/folding.ts';

describe('names that look the same', () => {
  it.each([
    ['a no-break space', 'Support\u00A0Team', 'Support Team'],
    ['two spaces', 'Support  Team', 'Support Team'],
    ['a space at the end', 'Support Team ', 'Support Team'],
    ['a no-break hyphen', 'C\u2011Guild', 'C-Guild'],
    ['an accent apart from its letter', 'Zoe\u0308', 'Zo\u00EB'],
    ['an apostrophe of a word processor', 'O\u2019Hara', "O'Hara"],
    ['another case', 'SUPPORT team', 'Support Team'],
    ['another case beyond ASCII', '\u00C4RZTE', '\u00E4rzte'],
    ['an invisible character', 'Sup\u200Bport', 'Support'],
  ])('are the same: %s', (_, one, other) => {
    expect(foldName(one)).toBe(foldName(other));
  });

  it.each([
    ['the Kelvin sign and K', '\u212A', 'K'],
    ['\u00DF and ss', 'Stra\u00DFe', 'Strasse'],
    ['letters of full width', '\uFF21', 'A'],
    ['a ligature', '\uFB01x', 'fix'],
    ['a long s', '\u017Fun', 'sun'],
    ['a dotted capital I', '\u0130', 'i'],
    ['a digit in a circle', 'Team \u2460', 'Team 1'],
    ['an accent', 'Zoe', 'Zo\u00EB'],
    ['a Cyrillic letter', '\u0410dmin', 'Admin'],
  ])('are not the same: %s', (_, one, other) => {
    expect(foldName(one)).not.toBe(foldName(other));
    expect(foldCase(one)).not.toBe(foldCase(other));
    expect(sameEmail(`${one}@acme.example`, `${other}@acme.example`)).toBe(false);
  });

  it('are addresses in any case, composed or not', () => {
    expect(sameEmail('Zoe\u0308@ACME.example', 'ZO\u00CB@acme.EXAMPLE')).toBe(true);
  });
});

it.each([
  ['Support\u00A0Team', ['a no-break space after "Support"']],
  [' Support  Team ', ['a space at its start', 'more than one space after "Support"', 'a space after "Team"']],
  ['C\u2011Guild', ['a no-break hyphen after "C"']],
  ['O\u2019Hara', ['an apostrophe of a word processor after "O"']],
  ['\u212Aelvin', ['the Kelvin sign at its start']],
  ["O'Hara-Team 1", []],
])('says what is odd in %j', (name, oddities) => {
  expect(describeOddities(name)).toEqual(oddities);
});
