import { MockAgent } from 'undici';

import { createAtlassian, type Atlassian } from '../../../shared/atlassian/atlassian.ts';
import type { Cloud, DataCenter } from '../../../shared/atlassian/apis.ts';
import type { CloudTarget, DataCenterTarget } from '../../../shared/target.ts';
import { cloudTarget, dataCenterTarget } from './targets.ts';

export interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Atlassian as a list of replies, given one after the other whatever is asked, and what was asked. */
export interface Mock {
  readonly atlassian: Atlassian;
  readonly sent: readonly Sent[];
  readonly cloud: (changes?: Partial<CloudTarget>) => Cloud;
  readonly dataCenter: (changes?: Partial<DataCenterTarget>) => DataCenter;
}

export function mockAtlassian(...replies: readonly Reply[]): Mock {
  const sent: Sent[] = [];
  const agent = new MockAgent();
  agent.disableNetConnect();
  for (const origin of ['https://acme.example', 'https://api.example', 'https://jira.example']) {
    agent
      .get(origin)
      .intercept({ path: () => true, method: () => true })
      .reply(({ path, method, headers, body }) => {
        const text = typeof body === 'string' ? (JSON.parse(body) as unknown) : undefined;
        sent.push({ url: origin + path, method, headers: headers as Record<string, string>, body: text }); // as our own client gave them
        const reply = replies[Math.min(sent.length, replies.length) - 1] ?? { status: 500 };
        const data =
          typeof reply.body === 'string' ? reply.body : reply.body === undefined ? '' : JSON.stringify(reply.body);
        return { statusCode: reply.status, data, responseOptions: { headers: { ...reply.headers } } };
      })
      .persist();
  }
  const atlassian = createAtlassian({
    clock: { now: () => new Date() },
    chance: { uuid: () => 'uuid', random: () => 0.5 },
    workers: 1,
    responseLimitBytes: 10_000,
    dispatcher: agent,
  });
  return {
    atlassian,
    sent,
    cloud: (changes) => {
      const opened = atlassian.open(cloudTarget(changes));
      if (opened.type !== 'cloud') throw new Error('a Cloud target opens as Cloud');
      return opened.apis;
    },
    dataCenter: (changes) => {
      const opened = atlassian.open(dataCenterTarget(changes));
      if (opened.type !== 'data-center') throw new Error('a Data Center target opens as Data Center');
      return opened.apis;
    },
  };
}

export const signal = (): AbortSignal => AbortSignal.timeout(5_000);
