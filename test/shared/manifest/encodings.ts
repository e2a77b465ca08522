import type { Encoding } from '../../../shared/manifest/encoding.ts';

/** How the same text lies in a file, by encoding: bytes with or without a byte order mark. */
export const FILE_ENCODINGS = [
  { name: 'UTF-8', encoding: 'utf-8', encode: (text: string) => Buffer.from(text) },
  { name: 'UTF-8 with a byte order mark', encoding: 'utf-8', encode: (text: string) => Buffer.from(`\uFEFF${text}`) },
  { name: 'UTF-16 LE', encoding: 'utf-16le', encode: (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le') },
  {
    name: 'UTF-16 BE',
    encoding: 'utf-16be',
    encode: (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(),
  },
  { name: 'Windows-1252', encoding: 'windows-1252', encode: windows1252 },
] as const satisfies readonly { name: string; encoding: Encoding; encode: (text: string) => Buffer }[];

const OUTSIDE_LATIN_1 = new Map(
  [...new TextDecoder('windows-1252').decode(Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index))].map(
    (character, index) => [character, 0x80 + index],
  ),
);

function windows1252(text: string): Buffer {
  return Buffer.from([...text].map((character) => OUTSIDE_LATIN_1.get(character) ?? character.charCodeAt(0)));
}
