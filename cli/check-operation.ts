import { OPERATIONS } from '../shared/operations/index.ts';
import type { Target } from '../shared/target.ts';
import { CommandFailed } from './failure.ts';

/** Throws CommandFailed that names the operations there are when this is none of them, or none for targets of this type. */
export function checkOperation(name: string, type?: Target['type']): void {
  const known = OPERATIONS.filter(
    ({ cloud, dataCenter }) => type === undefined || (type === 'cloud' ? cloud : dataCenter) !== undefined,
  ).map((operation) => operation.name);
  if (known.includes(name)) return;
  const place = type === undefined ? '' : ` for a target of type ${type}`;
  throw new CommandFailed(`There is no operation "${name}"${place}; one of ${known.join(', ')} was expected.`);
}
