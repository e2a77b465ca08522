import type { Operation } from './operation.ts';
import * as registry from './registry.ts';

/** Every operation: one line in registry.ts each, in alphabetical order here. */
export const OPERATIONS: readonly Operation[] = Object.values(registry).toSorted((one, other) =>
  one.name < other.name ? -1 : 1,
);

/** The names of all operations, as folders in the inbox spell them. */
export const operationNames: readonly string[] = OPERATIONS.map(({ name }) => name);

/** The operation of this name, or `undefined`. */
export const findOperation = (name: string): Operation | undefined =>
  OPERATIONS.find((operation) => operation.name === name);
