import { afterEach, beforeEach } from 'vitest';

import { type Simulator, type SimulatorOptions, startSimulator } from '../../../local/atlassian/server/simulator.ts';

/** Account and group ids of the default people whom tests need. */
export const WHO = {
  admin: '5b10a2844c20165700ede21a',
  anna: '5b10ac8d82e05b22cc7d4e00',
  ben: '712020:1a2b3c4d-0000-4000-8000-000000000001',
  dmitri: '712020:1a2b3c4d-0000-4000-8000-000000000003',
  scim: '712020:5c1a0000-0000-4000-8000-000000000001',
  guest: 'qm:90e5c4a0-partner|guest-1',
  suspended: '5b10ac8d82e05b22cc7dff01',
  deactivated: '5b10ac8d82e05b22cc7dff02',
  saml: '5b10ac8d82e05b22cc7dff03',
  newcomer: '712020:5c1a0000-0000-4000-8000-000000000002',
  emil: '5b10ac8d82e05b22cc7d4e1e',
} as const;

export const GROUP = {
  engineering: '276f955c-0000-4000-8000-000000000001',
  guild: '276f955c-0000-4000-8000-000000000004',
  external: '276f955c-0000-4000-8000-000000000008',
  discovery: '276f955c-0000-4000-8000-000000000009',
  admins: '276f955c-0000-4000-8000-00000000000a',
} as const;

export const ORG = '3f1c2a44-0000-4000-8000-00000000e0a1';
export const DIRECTORY = `/admin/v2/orgs/${ORG}/directories/7d9e5b10-0000-4000-8000-00000000d1a1`;
export const CLOUD_ID = 'c10d0000-0000-4000-8000-00000000c1a1';

const basic = (user: string, secret: string): string => `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;

/** Every credential of the default seed, and one that is none. */
const AS = {
  jira: basic('admin@example.com', 'simulator-api-token'),
  scoped: basic('admin@example.com', 'simulator-scoped-token'),
  reader: basic('admin@example.com', 'simulator-read-token'),
  plain: basic('anna.schmidt@example.com', 'simulator-plain-token'),
  wrong: basic('admin@example.com', 'wrong'),
  organisation: 'Bearer simulator-org-api-key',
  scopedOrganisation: 'Bearer simulator-scoped-org-api-key',
  dataCenter: 'Bearer simulator-personal-access-token',
  dataCenterBasic: basic('admin', 'simulator-password'),
  plainDataCenter: 'Bearer simulator-plain-personal-token',
  nobody: '',
} as const;

export type Credential = keyof typeof AS;

export interface Asked {
  readonly as?: Credential;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, with no content type but the one in the headers. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  /** Parsed where it is JSON. */
  readonly body: unknown;
  readonly headers: Headers;
}

export interface SimulatorInUse {
  readonly server: () => Simulator;
  readonly ask: (method: string, path: string, asked?: Asked) => Promise<Answered>;
  readonly behave: (patch: object) => Promise<void>;
}

/** A simulator for the tests of a file, a new one for each of them. */
export function useSimulator(options?: SimulatorOptions): SimulatorInUse {
  let server: Simulator;
  beforeEach(async () => {
    server = await startSimulator(options);
  });
  afterEach(() => server.close());

  const ask: SimulatorInUse['ask'] = async (method, path, { as = 'nobody', body, raw, headers } = {}) => {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        ...(AS[as] ? { authorization: AS[as] } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      // A string makes fetch add a type of its own; bytes do not. (The callers of GET give no body.)
      // oxlint-disable-next-line unicorn/no-invalid-fetch-options
      body: raw === undefined ? (body === undefined ? null : JSON.stringify(body)) : Buffer.from(raw),
    });
    return { status: response.status, body: parsed(await response.text()), headers: response.headers };
  };

  return {
    server: () => server,
    ask,
    behave: async (patch) => {
      const { status, body } = await ask('PATCH', '/_simulator/behaviour', { body: patch });
      if (status !== 200) throw new Error(`the behaviour was refused: ${JSON.stringify(body)}`);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
