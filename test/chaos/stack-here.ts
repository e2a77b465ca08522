import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Connection } from '../../local/stack.ts';
import type { FaultRates } from './service-faults.ts';
import type { BatchEnd, FromStack, StackOrder, StackReport, ToStack } from './stack-protocol.ts';

/** A local stack that can be killed, all of it or one of its functions' processes, and started again on its folder. */
export interface KillableStack {
  /** Of the stack as it runs now: ports change when it is started again. */
  readonly connection: () => Connection;
  /** Those that a function receives from. */
  readonly queueUrls: () => readonly string[];
  readonly pids: (functionName: string) => readonly number[];
  readonly setFaults: (rates: { readonly s3: FaultRates; readonly sqs: FaultRates }) => void;
  /** Of all stacks that there were. */
  readonly report: () => Promise<StackReport>;
  /** SIGKILL to the process that holds it, and a new one on the same folder. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface KillableStackOptions extends StackOrder {
  readonly onBatch: (batch: BatchEnd) => void;
}

const PATH = fileURLToPath(new URL('stack-process.ts', import.meta.url));

export async function startKillableStack({ onBatch, ...order }: KillableStackOptions): Promise<KillableStack> {
  let rates: { readonly s3: FaultRates; readonly sqs: FaultRates } | undefined;
  let present = await start(order, onBatch);
  let reports = 0;
  const former: StackReport[] = [];
  const report = async (): Promise<StackReport> => {
    const now = await present.report((reports += 1));
    const all = [...former, now];
    const total = (service: 's3' | 'sqs'): number => all.reduce((sum, { faults }) => sum + faults[service], 0);
    return {
      faults: { s3: total('s3'), sqs: total('sqs') },
      violations: all.flatMap(({ violations }) => violations),
    };
  };

  return {
    connection: () => present.connection,
    queueUrls: () => present.queueUrls,
    pids: (name) => present.pids()[name] ?? [],
    setFaults: (next) => {
      rates = next;
      present.tell({ kind: 'faults', ...next });
    },
    report,
    restart: async () => {
      former.push(await present.report((reports += 1)));
      await present.kill();
      present = await start(order, onBatch);
      if (rates) present.tell({ kind: 'faults', ...rates });
    },
    close: () => present.kill(),
  };
}

interface Started {
  readonly connection: Connection;
  readonly queueUrls: readonly string[];
}

interface Running extends Started {
  readonly pids: () => Readonly<Record<string, readonly number[]>>;
  readonly tell: (message: ToStack) => void;
  readonly report: (id: number) => Promise<StackReport>;
  readonly kill: () => Promise<void>;
}

async function start(order: StackOrder, onBatch: (batch: BatchEnd) => void): Promise<Running> {
  const child = fork(PATH, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const started = Promise.withResolvers<Started>();
  const waiting = new Map<number, (report: StackReport) => void>();
  let pids: Readonly<Record<string, readonly number[]>> = {};
  child.on('message', (message: FromStack) => {
    if (message.kind === 'started') started.resolve(message);
    else if (message.kind === 'batch') onBatch(message.batch);
    else if (message.kind === 'pids') pids = message.pids;
    else waiting.get(message.id)?.(message.report);
  });
  child.once('exit', (code) => started.reject(new Error(`The stack could not be started (exit code ${code})`)));
  child.send(order);
  return {
    ...(await started.promise),
    pids: () => pids,
    tell: (message) => tell(child, message),
    report: (id) =>
      new Promise((resolve) => {
        waiting.set(id, resolve);
        tell(child, { kind: 'report', id });
      }),
    kill: () => kill(child),
  };
}

function tell(child: ChildProcess, message: ToStack): void {
  if (child.connected) child.send(message);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
