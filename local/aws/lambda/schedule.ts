import { randomUUID } from 'node:crypto';

import type { ScheduleDescription } from '../template/description.ts';

export interface ScheduleOptions {
  readonly description: ScheduleDescription;
  readonly region: string;
  readonly account: string;
  readonly invoke: (event: unknown) => Promise<unknown>;
}

/** A running schedule rule: it invokes its function at its rate, and whenever it is asked to. */
export interface Schedule {
  readonly description: ScheduleDescription;
  /** Invokes now; a failed invocation is in the function's log. */
  readonly fire: () => Promise<void>;
  readonly stop: () => void;
}

export function startSchedule({ description, region, account, invoke }: ScheduleOptions): Schedule {
  const fire = async (): Promise<void> => {
    await invoke(createEvent(description, region, account)).catch(() => undefined);
  };
  const timer = setInterval(() => void fire(), description.everyMs);
  return { description, fire, stop: () => clearInterval(timer) };
}

/** Source: EventBridge user guide, "Scheduled events". */
const createEvent = ({ name }: ScheduleDescription, region: string, account: string): object => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account,
  time: new Date().toISOString(),
  region,
  resources: [`arn:aws:events:${region}:${account}:rule/${name}`],
  detail: {},
});
