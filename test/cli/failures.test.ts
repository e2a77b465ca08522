import { expect, it } from 'vitest';

import { CommandFailed, describeError, findInterruption, Interrupted } from '../../cli/failures.ts';

it('shows of a deliberate error its message alone', () => {
  expect(describeError(new CommandFailed('There is no job a.'))).toBe('There is no job a.');
});

it.each([
  ['NoSuchBucket', 'The bucket does not exist', { $metadata: {} }],
  ['CredentialsProviderError', 'Could not load credentials from any providers', {}],
  ['Error', 'Region is missing', {}],
])('shows of a request to AWS that failed why and what to check, without a trace: %s', (name, message, rest) => {
  expect(describeError(Object.assign(new Error(message), { name, ...rest }))).toBe(
    `A request to AWS failed (${name}: ${message}). Check the credentials, the region and the names that the command was given.`,
  );
});

it('shows of any other error its trace, and asks to report it', () => {
  expect(describeError(new TypeError('x is not a function'))).toMatch(
    /^Unexpected error, please report it: TypeError: x is not a function\n +at /,
  );
});

it('finds the signal that an error comes from, with the exit code that shells expect', () => {
  const aborted = new Error('aborted', { cause: new Interrupted('SIGTERM') });

  expect(findInterruption(aborted)?.exitCode).toBe(143);
  expect(findInterruption(new Error('other'))).toBeUndefined();
});
