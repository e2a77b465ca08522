import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Where sentences are that a user meets: messages, remedies, help, alarms. */
const SPEAKING = ['cli', 'functions', 'infra', 'shared'];

/** The pipeline's inner words, and those of a language of our own. */
const BANNED = [
  /\b(manifest|subject|gate|noop|reconcile|isolation|quarantine(?!\/))\b/i,
  /\b(carr(y|ies|ied) (it |them )?out|mends?|errand|put up again|rows queue|carried along|let begin|told)\b/i,
  /(?<!dead[ -])letters\b(?!, digits)/i,
];

const sources = SPEAKING.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

it.each(sources)('%s speaks to people in words of the field', (file) => {
  const messages = readMessages(readFileSync(join(ROOT, file), 'utf8'));

  expect(messages.filter((message) => BANNED.some((words) => words.test(message)))).toEqual([]);
});

it('tells messages from comments, code and names', () => {
  expect(
    readMessages("/** The gate's */ f('carry out', `a ${b} mend`); // 'no gate here'\nimport './gate.ts';"),
  ).toEqual(['carry out', 'a  mend']);
});

/** The texts in a source that hold more than one word. */
function readMessages(source: string): readonly string[] {
  const code = source.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/(^|\s)\/\/ .*$/gm, '');
  const literals = code.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g);
  return [...literals]
    .map(([, single, double, template]) => (single ?? double ?? template ?? '').replaceAll(/\$\{[^}]*\}/g, ''))
    .filter((text) => text.includes(' '));
}
