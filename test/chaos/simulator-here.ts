import { type Behaviour, defaultBehaviour } from '../../local/atlassian/server/behaviour.ts';
import type { State, StateInput } from '../../local/atlassian/engine/state.ts';
import type { RequestSummary } from '../../local/atlassian/server/request-log.ts';
import { startSimulatorProcess } from '../../local/atlassian/simulator-process.ts';

type Partially<T> = { readonly [Key in keyof T]?: T[Key] extends readonly unknown[] ? T[Key] : Partial<T[Key]> };

/** The simulator in a process of its own, which outlives a stack that is killed. */
export interface SimulatorHere {
  readonly targets: Readonly<Record<string, unknown>>;
  /** Another state, the default behaviour, and only requests from now on. */
  readonly begin: (state: StateInput) => Promise<void>;
  readonly behave: (behaviour: Partially<Behaviour>) => Promise<void>;
  readonly state: () => Promise<State>;
  /** How often each thing was changed. */
  readonly effective: () => Promise<ReadonlyMap<string, number>>;
  readonly summary: () => Promise<RequestSummary>;
  readonly close: () => void;
}

/** Starts it and speaks to its control endpoints. */
export async function startSimulatorHere(): Promise<SimulatorHere> {
  const { url, targets, close } = await startSimulatorProcess();
  const ask = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(`${url}/_simulator/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as Answer; // docs/simulator.md says what each answers
  };
  const summary = (after: number) => ask<RequestSummary>('GET', `requests?summary=1&after=${after}`);
  let before = 0;
  return {
    targets,
    close,
    begin: async (state) => {
      await ask('PATCH', 'behaviour', defaultBehaviour());
      await ask('PUT', 'state', state);
      before += (await summary(before)).requests;
    },
    behave: (behaviour) => ask('PATCH', 'behaviour', behaviour),
    state: () => ask('GET', 'state'),
    effective: async () => {
      const { things } = await ask<{ readonly things: Record<string, number> }>(
        'GET',
        `requests?effective=1&after=${before}`,
      );
      return new Map(Object.entries(things));
    },
    summary: () => summary(before),
  };
}
