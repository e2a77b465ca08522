import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The simulator, running in a process of its own, so that it takes no time from the stack's. */
export interface SimulatorProcess {
  readonly url: string;
  /** The secret of each target that it stands for. */
  readonly targets: Readonly<Record<string, unknown>>;
  readonly close: () => void;
}

/** Starts the simulator on this port of 127.0.0.1, or on any free one. It ends when this process does. */
export function startSimulatorProcess(port = 0): Promise<SimulatorProcess> {
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), ['--port', String(port)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true, // Ctrl-C reaches a terminal's whole process group, and rows under way still need their Atlassian
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The simulator could not be started (exit code ${code})`)));
    child.once('message', (started) => {
      const { url, targets } = started as Pick<SimulatorProcess, 'url' | 'targets'>; // main.ts sends it
      resolve({ url, targets, close: () => void child.kill('SIGKILL') });
    });
  });
}
