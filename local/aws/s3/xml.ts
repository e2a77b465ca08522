/** What an element of an answer holds; `undefined` leaves it out, a list repeats it. */
export type XmlContent = string | number | boolean | undefined | XmlElements | readonly XmlElements[];
export interface XmlElements {
  readonly [name: string]: XmlContent;
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** An answer of S3 as XML. */
export const xmlDocument = (root: string, content: XmlElements): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${elements(content)}</${root}>`;

/** An error of S3 as XML, which has no namespace. */
export const xmlError = (content: XmlElements): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements(content)}</Error>`;

function elements(content: XmlElements): string {
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('');
}

function element(name: string, value: XmlContent): string {
  if (value === undefined) return '';
  if (isList(value)) return value.map((item) => element(name, item)).join('');
  return `<${name}>${typeof value === 'object' ? elements(value) : escaped(String(value))}</${name}>`;
}

const isList = (value: XmlContent): value is readonly XmlElements[] => Array.isArray(value);

// Control characters as references: XML 1.0 knows no such thing, but S3 does it, and keys may hold them.
const escaped = (text: string): string =>
  text.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.codePointAt(0)};`);
