import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CITED = /`(test\/[^`]+\.test\.ts)`: ([^\n]+)/g;

const cited = [...readFileSync(`${ROOT}docs/reliability.md`, 'utf8').matchAll(CITED)].map(
  ([, file = '', name = '']) => [file, name] as const,
);

it.each(cited)('docs/reliability.md cites a test that %s has: %s', (file, name) => {
  // A name that stands in a list of cases, or begins a longer one, is found as well.
  expect(readFileSync(ROOT + file, 'utf8')).toContain(name);
});
