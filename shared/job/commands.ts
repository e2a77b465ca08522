/** Where the pipeline runs, as far as what a person is to type depends on it. */
export interface Place {
  /** The stack's name, by which every command finds its parts. */
  readonly stackName: string;
  readonly results: string;
  readonly region: string;
  /** The stack on somebody's own machine, which commands find by themselves and no console shows. */
  readonly isLocal: boolean;
}

/** Something to type, and what for. */
export interface Next {
  readonly purpose: string;
  readonly command: string;
}

/** What a person may type about one job, each command whole. */
export function commandsFor(job: string, { stackName, isLocal }: Place) {
  const command = (purpose: string, words: string): Next => ({
    purpose,
    command: `npx rollcall ${words}${isLocal ? '' : ` --stack ${stackName}`}`,
  });
  return {
    fetch: command('Download the report', `results ${job}`),
    status: command('Read it with what is not shown here', `status ${job}`),
    look: command('Look at the plan', `show ${job}`),
    approve: (accepts: readonly string[]) =>
      command('Then let it run', [`approve ${job}`, ...accepts.map((code) => `--accept ${code}`)].join(' ')),
    undo: command('Take back what it changed', `undo ${job}`),
    pause: command('Stop it for now', `pause ${job}`),
    cancel: command('Or end it', `cancel ${job}`),
    resume: command('Once the cause is gone, go on', `resume ${job}`),
    redrive: command('Once the cause is gone, run them again', `dead-letters redrive ${job}`),
    discard: command('Or give them up', `dead-letters discard ${job}`),
  };
}

/** The folder of a target's and operation's jobs in the AWS console: a job's own is named after its file, which may name a person. */
export const consoleLink = ({ results, region, isLocal }: Place, folder: string): { readonly console?: string } =>
  isLocal
    ? {}
    : {
        console: `https://${region}.${consoleOf(region)}/s3/buckets/${results}?region=${region}&prefix=${encodeURIComponent(folder)}`,
      };

/** AWS has a console for each partition. */
function consoleOf(region: string): string {
  if (region.startsWith('cn-')) return 'console.amazonaws.cn';
  return region.startsWith('us-gov-') ? 'console.amazonaws-us-gov.com' : 'console.aws.amazon.com';
}
