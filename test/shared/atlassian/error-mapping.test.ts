import { describe, expect, it } from 'vitest';

import { ERROR_MAPPING, mapError, type ErrorRule } from '../../../shared/atlassian/error-mapping.ts';
import type { Body } from '../../../shared/atlassian/http.ts';
import { readErrorBody } from '../../../shared/atlassian/answer-errors.ts';
import { EXAMPLES, type Example } from './error-examples.ts';

const bodyOf = (body: unknown): Body =>
  body === undefined
    ? { type: 'none' }
    : typeof body === 'string'
      ? { type: 'text', text: body }
      : { type: 'json', value: body };

const ruleFor = ([call, status, body]: Example): ErrorRule | undefined => {
  const found = mapError(call, status, readErrorBody(bodyOf(body)));
  return ERROR_MAPPING.find((rule) => rule === found);
};

describe('the error mapping', () => {
  it.each(EXAMPLES)('%s answered %i %j means %s', (call, status, body, code) => {
    expect(mapError(call, status, readErrorBody(bodyOf(body))).code).toBe(code);
  });

  it.each(ERROR_MAPPING)(
    'uses the rule $api $calls $status $key $words → $code for at least one of the examples',
    (rule) => {
      expect(EXAMPLES.filter((example) => ruleFor(example) === rule)).not.toEqual([]);
    },
  );
});
