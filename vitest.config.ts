import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**'],
    testTimeout: 20_000,
    // Vitest would leave one core to itself, while tests of the whole stack wait more than they work.
    maxWorkers: availableParallelism(),
  },
});
