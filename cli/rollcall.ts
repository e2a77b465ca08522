import { Command, CommanderError } from 'commander';

import rollcall from '../package.json' with { type: 'json' };
import { addControls } from './control.ts';
import { addDeadLetters } from './dead-letters.ts';
import { endWithLauncher } from './end-with-launcher.ts';
import { interruptionIn } from './ending-signal.ts';
import { told } from './failure.ts';
import { addLocal } from './local.ts';
import { addPresign } from './presign.ts';
import { addDemo } from './demo.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { addVerify } from './verify.ts';

const program = new Command('rollcall')
  .description(
    'Drop a CSV of people in a bucket; every row is carried out against Atlassian, and a report accounts for every row.',
  )
  .version(rollcall.version, '--version', 'say which version this is')
  .exitOverride();
addRun(program);
addLocal(program);
addDemo(program);
addPresign(program);
addVerify(program);
addStatus(program);
addControls(program);
addDeadLetters(program);

endWithLauncher();
try {
  await program.parseAsync();
} catch (error) {
  const ended = error instanceof CommanderError ? error : interruptionIn(error);
  // Commander has said already what is wrong with the arguments.
  if (!(error instanceof CommanderError)) console.error(told(ended ?? error));
  process.exitCode = ended?.exitCode ?? 1;
}
// What a command leaves open (sockets that are kept alive) must not keep it from ending.
process.exit();
