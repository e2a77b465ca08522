import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { readTargetFile } from '../../cli/arguments.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-target-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SECRET = { type: 'data-center', baseUrl: 'https://jira.example.com/jira', token: 'very-secret-token' };

it('names a target as its file is', () => {
  expect(readTargetFile(file('acme-eu.json', SECRET))).toEqual({
    name: 'acme-eu',
    type: 'data-center',
    secret: SECRET,
  });
});

it.each([
  ['a name that is no target name', 'ac me.json', SECRET],
  ['a reserved name', 'control.json', SECRET],
  ['a secret that lacks a field', 'acme.json', { ...SECRET, baseUrl: undefined }],
  ['plain http to another machine', 'acme.json', { ...SECRET, baseUrl: 'http://jira.example.com' }],
])('refuses %s without showing the token', (_what, name, secret) => {
  let message = '';
  try {
    readTargetFile(file(name, secret));
  } catch (error) {
    message = String(error);
  }

  expect(message).not.toBe('');
  expect(message).not.toContain(SECRET.token);
});

it('says so when there is no such file', () => {
  expect(() => readTargetFile(join(folder, 'missing.json'))).toThrow('cannot be read');
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}
