#!/usr/bin/env node
// What `npx rollcall` runs: the commands, on Node 24. Plain JavaScript, because Node 20 has to read it.
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, fileURLToPath(new URL('rollcall.ts', import.meta.url)));
await import('./node24.mjs');
