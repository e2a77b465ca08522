import type { Faults } from './faults.ts';
import type { World } from './world.ts';

/** How long a service takes to do something and to answer: mostly soon, seldom much later. */
export type Latency = 'service' | 'atlassian';

/** What a process is doing for whom. */
export interface Invocation {
  /** The jobs that its messages are of. */
  readonly jobIds: readonly string[];
  /** Reads at Atlassian that it has begun. */
  reads: number;
}

/** A function's process. What it does to the world takes time, and it may die between any two effects. */
export interface SimulatedProcess {
  readonly name: string;
  invocation: Invocation;
  readonly isAlive: () => boolean;
  /** Resolves when the process is dead. */
  readonly death: Promise<void>;
  readonly die: (why: string) => void;
  /** Does something to the world some time later, and tells the process of it later still; a dead process hears nothing. */
  readonly effect: <Value>(what: string, apply: () => Value | Promise<Value>, latency?: Latency) => Promise<Value>;
}

export function createProcess(name: string, world: World, faults: Faults): SimulatedProcess {
  let alive = true;
  let announceDeath = (): void => undefined;
  const death = new Promise<void>((resolve) => {
    announceDeath = resolve;
  });
  const die = (why: string): void => {
    if (!alive) return;
    alive = false;
    world.note(() => `${name} dies: ${why}`);
    announceDeath();
  };

  return {
    name,
    invocation: { jobIds: [], reads: 0 },
    isAlive: () => alive,
    death,
    die,
    effect: (what, apply, latency = 'service') =>
      new Promise((resolve, reject) => {
        if (!alive) return;
        world.after(delayMs(world, latency), async () => {
          if (alive && faults.strikes('dies before an effect')) die(`before ${what}`);
          // What a dead process had under way may have arrived all the same.
          if (!alive && world.random.happens(0.5)) return;
          world.note(() => `${name} ${what}`);
          const outcome = await attempt(apply);
          if (alive && faults.strikes('dies after an effect')) die(`after ${what}`);
          if (!alive) return;
          const slowMs = faults.strikes('answer slow') ? world.random.between(500, 15_000) : 0;
          world.after(delayMs(world, latency) / 2 + slowMs, () => {
            if (!alive) return;
            if ('value' in outcome) resolve(outcome.value);
            else reject(outcome.error);
          });
        });
      }),
  };
}

async function attempt<Value>(
  apply: () => Value | Promise<Value>,
): Promise<{ readonly value: Value } | { readonly error: unknown }> {
  try {
    return { value: await apply() };
  } catch (error) {
    return { error };
  }
}

function delayMs({ random }: World, latency: Latency): number {
  const usual = latency === 'atlassian' ? random.between(20, 200) : random.between(2, 30);
  if (random.happens(0.9)) return usual;
  return usual * random.between(2, 30);
}
