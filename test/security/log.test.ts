import { expect, it } from 'vitest';

import { errorFields } from '../../shared/log.ts';
import { CANARY, leaksIn } from './canaries.ts';

it.each([
  { what: 'its message', error: new Error(`${CANARY}@example.com is no address`) },
  {
    what: 'a line of its message that looks like a place',
    error: new Error(`No user\n    at ${CANARY} (ann.lee@example.com)`),
  },
  { what: 'its cause', error: new Error('failed', { cause: new Error(CANARY) }) },
  { what: 'what it carries', error: Object.assign(new Error('failed'), { cell: CANARY }) },
  { what: 'JSON that could not be parsed', error: parseError(`{"email":"\n at ${CANARY}@example.com`) },
  { what: 'what is no error', error: `${CANARY}@example.com` },
])('logs of an error no part of $what', ({ error }) => {
  expect(leaksIn('log', JSON.stringify(errorFields(error)))).toEqual([]);
});

it('logs where an error was thrown', () => {
  expect(errorFields(new Error('a\n at b'))).toMatchObject({
    error: 'Error',
    at: expect.stringMatching(/^at .*log\.test\.ts/),
  });
});

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
