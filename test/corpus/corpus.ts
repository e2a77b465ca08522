import type { Entry } from './entry.ts';
import { FOREIGN_FILES } from './foreign-files.ts';
import { HEADERS } from './headers.ts';
import { HOSTILE_CELLS } from './hostile-cells.ts';
import { OVERSIZED } from './oversized.ts';
import { SHAPES } from './shapes.ts';
import { SPELLINGS } from './spellings.ts';

/** Every manifest of the corpus, by kind. */
export const CORPUS: Readonly<Record<string, readonly Entry[]>> = {
  spellings: SPELLINGS,
  'hostile cells': HOSTILE_CELLS,
  shapes: SHAPES,
  headers: HEADERS,
  'foreign files': FOREIGN_FILES,
  oversized: OVERSIZED,
};
