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

const failed = (code: string, rest: object): Error => Object.assign(new Error(`${code}: no`), { code, ...rest });
const sqlite = (errcode: number): Error => failed('ERR_SQLITE_ERROR', { errcode });

it.each([
  [
    failed('ENOSPC', { path: '/a/b' }),
    'Nothing can be written to /a/b: the disk is full. Make room, then run the command again.',
  ],
  [
    failed('EDQUOT', {}),
    'Nothing can be written to the folder: the disk is full. Make room, then run the command again.',
  ],
  [
    failed('EROFS', { path: '/a' }),
    'Nothing can be written to /a: the disk is read-only. Make it writable, then run the command again.',
  ],
  [sqlite(13), 'Nothing can be written to the folder: the disk is full. Make room, then run the command again.'],
  [sqlite(261), 'Another local stack runs in this folder. Stop it, or choose another folder with --folder.'],
  [failed('EADDRINUSE', { port: 9000 }), 'Port 9000 is in use. End what has it, or choose other ports with --port.'],
  [
    failed('ENOENT', { path: '/a', syscall: 'mkdir' }),
    '/a cannot be made: its disk is read-only, or what it should lie in is gone. Make the disk writable, or choose another place (--folder, --out).',
  ],
  [
    failed('EACCES', { path: '/a' }),
    '/a may not be written or read by this user. Give its owner the right, or choose another place (--folder, --out).',
  ],
])('shows of what this machine refuses what to do, without a trace: %s', (error, sentence) => {
  expect(describeError(error)).toBe(sentence);
});

it('shows of a local stack whose disk is full what that says', () => {
  const error = Object.assign(new Error('The disk is full.'), { name: 'ServiceUnavailable', $metadata: {} });

  expect(describeError(error)).toBe('The disk is full. Then run the command again.');
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
