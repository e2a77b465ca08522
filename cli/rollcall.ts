import { Command, CommanderError } from 'commander';

import rollcall from '../package.json' with { type: 'json' };
import { documentExits } from './arguments.ts';
import { addControls } from './control.ts';
import { addDeadLetters } from './dead-letters.ts';
import { addDemo } from './demo.ts';
import { describeError, endWithLauncher, findInterruption } from './failures.ts';
import { addHistory } from './history.ts';
import { addLocal } from './local.ts';
import { addMap } from './map.ts';
import { addPresign } from './presign.ts';
import { addResults } from './results.ts';
import { addRun } from './run.ts';
import { addShow, addStatus } from './status.ts';
import { addSubmit } from './submit.ts';
import { addTarget } from './target.ts';
import { addTemplate } from './template.ts';
import { addUndo } from './undo.ts';
import { addValidate } from './validate.ts';
import { addVerify } from './verify.ts';

const program = new Command('rollcall')
  .description(rollcall.description)
  .version(rollcall.version, '--version', 'print the version')
  .exitOverride();
documentExits(program, {
  0: 'done',
  1: 'failed; the message says why and what to do',
  2: 'run, verify: some rows are not as the file asks',
  3: 'run: the job waits for approval',
  130: 'ended by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP',
});
const commands = [
  addValidate,
  addTemplate,
  addMap,
  addSubmit,
  addRun,
  addLocal,
  addDemo,
  addPresign,
  addVerify,
  addStatus,
  addShow,
  addResults,
  addHistory,
  addControls,
  addUndo,
  addDeadLetters,
  addTarget,
];
for (const add of commands) add(program);

endWithLauncher();
try {
  await program.parseAsync();
} catch (error) {
  const ended = error instanceof CommanderError ? error : findInterruption(error);
  // Commander has said already what is wrong with the arguments.
  if (!(error instanceof CommanderError)) console.error(describeError(ended ?? error));
  process.exitCode = ended?.exitCode ?? 1;
}
// What a command leaves open (sockets that are kept alive) must not keep it from ending.
process.exit();
