import { describe, expect, it } from 'vitest';

import { readRow } from '../../../shared/operations/columns.ts';

const isAddress = (cell: string): boolean => readRow({ email: cell }).email('email') !== undefined;

describe('an e-mail address', () => {
  it.each([
    'ann@acme.example',
    "margaret.o'hara+jira@example.com",
    'a..b@mail.example',
    'zoë@bücher.example',
    '用户@例子.example',
    'a@b-c.xn--p1ai',
    '_a-b_@a1.example',
    'root@localhost',
    'a{b}|c~d@acme.example',
  ])('is %s', (cell) => {
    expect(isAddress(cell)).toBe(true);
  });

  it.each([
    '“ada@example.com”',
    'ada@example.com’',
    "'ada@example.com'",
    "'ada@example.com",
    'ada@example.com»',
    '«ada@example.com',
    '‹ada@example.com›',
    '„ada@example.com“',
    '‚ada@example.com‘',
    'o’hara@example.com',
    '`ada@example.com`',
    '*ada@example.com*',
    '**ada@example.com**',
    '!ada@example.com',
    'ada@example.com!',
    'ada@-x-.com',
    'ada@x-.com',
    'ada@-x.com',
    'ada@exa*mple.com',
    "ada@example.com'",
    'ada@example.com.',
    'ada@example..com',
    '.ada@example.com',
    '<ada@example.com>',
    'mailto:ada@example.com',
    'ada@example.com; ben@example.com',
    'ada@ben@example.com',
    'ada\u00A0@example.com',
  ])('is not %s', (cell) => {
    expect(isAddress(cell)).toBe(false);
  });
});
