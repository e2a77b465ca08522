const LOOK_EVERY_MS = 250;

/** Ends this process when node24.mjs, which started it, is gone, even by SIGKILL: nobody else would end it then. */
export function endWithLauncher(): void {
  const launcher = Number(process.env['ROLLCALL_LAUNCHER']);
  if (launcher !== process.ppid) return;
  const looking = setInterval(() => {
    if (process.ppid !== launcher) process.exit(1);
  }, LOOK_EVERY_MS);
  looking.unref();
}
