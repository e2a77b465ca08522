import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const NEWMAN = here('../newman');
const PROCESSES = 20;

/** What a peer applies, and where. */
export interface PeerRun {
  readonly operation: 'membership' | 'creation';
  /** A CSV of `userid,groupid`, or of `email`: without look-ups, as peers do none. */
  readonly csv: string;
  readonly site: string;
  readonly username: string;
  readonly token: string;
}

/** Another way of carrying a CSV out. */
export interface Peer {
  readonly name: string;
  readonly processes: number;
  /** Why it cannot run here, if so. */
  readonly missing: string | undefined;
  readonly run: (run: PeerRun) => Promise<void>;
}

/** Those that articles for administrators give; the ones that this machine lacks say so. */
export function peers(): readonly Peer[] {
  const curl = has('curl', ['--version']) ? undefined : 'curl is not installed';
  const xargs = has('xargs', ['--version']) ? undefined : 'xargs is not installed';
  const python = has('python3', ['-c', 'import requests']) ? undefined : 'python3 with requests is not installed';
  return [
    { name: 'newman', processes: 1, missing: newmanMissing(), run: runNewman },
    {
      name: 'Node script',
      processes: 1,
      missing: undefined,
      run: (run) => start(run, process.execPath, [here('sequential.mjs'), run.operation, run.csv]),
    },
    {
      name: 'Python script',
      processes: 1,
      missing: python,
      run: (run) => start(run, 'python3', [here('sequential.py'), run.operation, run.csv]),
    },
    {
      name: `curl under xargs -P ${PROCESSES}`,
      processes: PROCESSES,
      missing: curl ?? xargs,
      run: (run) => start(run, 'sh', ['-c', curlEach(run)]),
    },
  ];
}

const curlEach = ({ operation, csv }: PeerRun): string =>
  `tail -n +2 '${csv}' | xargs -P ${PROCESSES} -n 1 sh '${here('one-row.sh')}' ${operation}`;

const has = (command: string, args: readonly string[]): boolean => spawnSync(command, args).status === 0;

/** Installs it from its own lock file the first time; without a registry it is missing. */
function newmanMissing(): string | undefined {
  if (existsSync(newmanBin)) return undefined;
  const { status } = spawnSync('npm', ['ci', '--prefix', NEWMAN], { cwd: NEWMAN, stdio: 'ignore' });
  return status === 0 && existsSync(newmanBin) ? undefined : 'npm ci --prefix test/bench/newman does not install it';
}

const newmanBin = `${NEWMAN}/node_modules/newman/bin/newman.js`;

function runNewman(run: PeerRun): Promise<void> {
  const { operation, csv, site, username, token } = run;
  const variables = Object.entries({ site, username, token }).flatMap(([name, value]) => [
    '--env-var',
    `${name}=${value}`,
  ]);
  const args = [
    newmanBin,
    'run',
    `${NEWMAN}/${operation}.json`,
    '--iteration-data',
    csv,
    '--reporters',
    'json',
    '--reporter-json-export',
    `${csv}.newman.json`,
  ];
  return start(run, process.execPath, [...args, ...variables]);
}

function start({ site, username, token }: PeerRun, command: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, SITE: site, USERNAME: username, TOKEN: token };
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))));
  });
}
