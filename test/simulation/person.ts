import { nextStep } from '../../shared/job/approval.ts';
import { hasEnded, isWaiting, type Command } from '../../shared/job/job.ts';
import type { State } from '../../shared/job/state.ts';
import type { Faults } from './faults.ts';
import type { Inbox } from './inbox.ts';
import type { Pipeline } from './pipeline.ts';
import type { GivenApproval } from './plan-first.ts';
import type { ApprovalKind, PlannedCommand } from './scenario.ts';
import type { SimulatedQueue } from './simulated-queue.ts';
import type { World } from './world.ts';

/** Who puts files there, and who else may approve them. */
export const [UPLOADER, COLLEAGUE] = ['AWS:uploader', 'AWS:colleague'] as const;

interface PersonPorts {
  readonly world: World;
  readonly faults: Faults;
  readonly inbox: Inbox;
  readonly pipeline: Pipeline;
  readonly states: ReadonlyMap<string, State>;
  readonly jobIds: () => readonly string[];
  /** Whatever is approved is noted there. */
  readonly approvals: GivenApproval[];
  readonly attendsAfterMs: number;
}

/** People who look after jobs. */
export interface Person {
  readonly command: (jobId: string, planned: Omit<PlannedCommand, 'job' | 'atSeconds'>) => void;
  /** Looks at every job: lets go on, or cancels, what stands still, and sends again what died on its way. */
  readonly lookAfter: () => void;
}

export function createPerson(ports: PersonPorts): Person {
  const { world, inbox, pipeline, states, jobIds, attendsAfterMs } = ports;
  const { random } = world;

  const command: Person['command'] = (jobId, planned) => {
    const { command: name, isInvoked = false, isByUploader = false, approval = 'right' } = planned;
    const principal = isByUploader ? UPLOADER : COLLEAGUE;
    const how = name === 'approve' ? ` (${approval})` : '';
    world.note(() => `${principal} asks ${jobId} to ${name}${how}`);
    if (isInvoked && (name === 'pause' || name === 'cancel')) return stop(jobId, name, ports);
    const body = name === 'approve' ? approve(jobId, approval, principal, ports) : '';
    inbox.put({ key: `control/${jobId}/${name}`, body, principal });
  };

  const approveAtLast = (jobId: string): void => {
    if (random.happens(0.15)) command(jobId, { command: 'approve', approval: randomly(WRONG, ports) });
    if (random.happens(0.1)) command(jobId, { command: 'approve', approval: 'right', isByUploader: true });
    command(jobId, { command: 'approve', approval: 'right' });
    if (random.happens(0.15)) command(jobId, { command: 'approve', approval: 'right' });
  };

  const attend = (jobId: string, state: State): void => {
    if (state.state === 'paused') command(jobId, { command: random.happens(0.7) ? 'resume' : 'cancel' });
    if (state.state === 'halted' && random.happens(0.3)) command(jobId, { command: 'resume' });
    const isDue = world.nowMs() - state.stateSinceMs >= attendsAfterMs;
    if (!isWaiting(state.state) || !state.plan?.gate || !isDue) return;
    if (random.happens(0.08)) command(jobId, { command: 'cancel', isInvoked: random.happens(0.5) });
    else approveAtLast(jobId);
  };

  return {
    command,
    lookAfter: () => {
      for (const jobId of jobIds()) {
        const state = states.get(jobId);
        if (state && !hasEnded(state.state)) attend(jobId, state);
      }
      const { queues } = pipeline;
      for (const name of ['intake', 'validate', 'plan', 'enqueue', 'events', 'reports'] as const)
        putBack(queues[`${name}Dead`], queues[name]);
    },
  };
}

/** What the console's redrive does. */
export function putBack(dead: SimulatedQueue, live: SimulatedQueue): void {
  const letters = dead.parcels();
  dead.purge();
  for (const letter of letters) live.take({ ...letter, receives: 0 });
}

function stop(jobId: string, command: Extract<Command, 'pause' | 'cancel'>, { pipeline, faults }: PersonPorts): void {
  const times = faults.strikes('invoked twice') ? 2 : 1;
  for (let time = 0; time < times; time += 1) pipeline.invokeIntake({ command, job: jobId });
}

const WRONG: readonly ApprovalKind[] = ['another hash', 'another job', 'accepts nothing', 'another step', 'no hash'];

const randomly = <Item>(items: readonly Item[], { world }: PersonPorts): Item =>
  items[world.random.between(0, items.length - 1)]!; // below the length

/** Before a plan there is none to name. */
const NO_PLAN = '0'.repeat(64);

/** Writes an approval down: its plan's hash, the reasons that it accepts, and the step. */
function approve(jobId: string, kind: ApprovalKind, principal: string, ports: PersonPorts): string {
  if (kind === 'no hash') return 'approved';
  const { states, jobIds, approvals } = ports;
  const state = states.get(jobId);
  const another = jobIds()
    .map((id) => states.get(id)?.plan?.gate?.hash)
    .find((one) => one !== hashOf(state));
  const hash = kind === 'another job' ? (another ?? NO_PLAN) : hashOf(state);
  const named = kind === 'another hash' ? hash.replaceAll(/[0-9]/g, 'a').replace(/^./, 'b') : hash;
  const accepts = kind === 'accepts nothing' ? [] : (state?.waitReasons.map(({ code }) => code) ?? []);
  const isInSteps = state?.plan?.gate?.steps !== undefined;
  const step = kind === 'another step' ? 99 : isInSteps ? nextStep(state) : undefined;
  approvals.push({ jobId, hash: named, accepts, step, principal });
  return [named, ...accepts, ...(step === undefined ? [] : [`STEP=${step}`])].join('\n');
}

const hashOf = (state: State | undefined): string => state?.plan?.gate?.hash ?? NO_PLAN;
