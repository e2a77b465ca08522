/**
 * A text by which two that look the same are the same: without case, in one of Unicode's compatible forms (NFKC). No letter or digit
 * becomes another: the Kelvin sign stays apart from K, ß from ss, and letters of full width from A to Z.
 */
export function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = '';
  let run = ''; // folded as a whole, so that marks join their letters
  for (const character of text) {
    if (becomesAscii(character)) {
      folded += fold(run) + character;
      run = '';
    } else run += character;
  }
  return folded + fold(run);
}

// oxlint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007F]*$/;

const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

/** Whether a character beyond ASCII would fold to a letter or digit of it. */
const becomesAscii = (character: string): boolean => character > '\u007F' && /[a-z0-9]/.test(fold(character));

/** The same for names that people type: without the spaces around them, every run of spaces as one, and the hyphens and apostrophes of word processors as those of keyboards. */
export const foldName = (name: string): string =>
  foldCase(name)
    .replace(/[\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]/g, '')
    .replace(/[\u2010-\u2013\u2212]/g, '-')
    .replace(/[\u2018\u2019\u201B\u02BC\u2032]/g, "'")
    .replace(/\s+/g, ' ')
    .trim();

/** Atlassian compares addresses without case. */
export const sameEmail = (one: string, other: string): boolean => foldCase(one) === foldCase(other);

/** What nobody sees or expects in a name, in words: "a no-break space after "Support"". */
export function describeOddities(name: string): readonly string[] {
  const found: string[] = [];
  for (const match of name.matchAll(ODD)) {
    const before = name.slice(0, match.index).trim().split(/\s/u).at(-1) ?? '';
    const where = match.index === 0 ? 'at its start' : `after ${JSON.stringify(before)}`;
    found.push(`${nameOf(match[0])} ${where}`);
  }
  return found;
}

const ODD =
  /[^\S ]|\u0020{2,}|^\u0020|\u0020$|[\u00AD\u200B-\u200F\u2010-\u2013\u2018-\u201F\u2032\u2060-\u2064\u2212\uFEFF\u02BC]|\p{M}|[\u212A\u017F\uFF21-\uFF3A\uFF41-\uFF5A\uFF10-\uFF19]/gu;

function nameOf(text: string): string {
  const known = KNOWN.find(([pattern]) => pattern.test(text))?.[1];
  const code = text.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  return known ?? `the character U+${code}`;
}

const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^\u00A0$|^\u202F$/, 'a no-break space'],
  [/^ {2,}$/, 'more than one space'],
  [/^ $/, 'a space'],
  [/^\t$/, 'a tab'],
  [/^\s$/, 'a space of another width'],
  [/^[\u200B-\u200F\u2060-\u2064\uFEFF]$/, 'an invisible character'],
  [/^\u00AD$/, 'a soft hyphen'],
  [/^\u2011$/, 'a no-break hyphen'],
  [/^[\u2010-\u2013\u2212]$/, 'a dash that is no hyphen'],
  [/^[\u2018-\u201B\u2032\u02BC]$/, 'an apostrophe of a word processor'],
  [/^[\u201C-\u201F]$/, 'a quote of a word processor'],
  [/^\p{M}$/u, 'an accent that stands apart from its letter'],
  [/^\u212A$/, 'the Kelvin sign'],
  [/^[\uFF10-\uFF5A]$/, 'a character of full width'],
];
