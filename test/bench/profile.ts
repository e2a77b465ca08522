import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Whose code a process was in when it was sampled. */
export const OWNERS = ['Rollcall', 'AWS SDK', 'other packages', 'Node', 'garbage collector', 'bench'] as const;
export type Owner = (typeof OWNERS)[number];

/** Where processor time went. */
export interface Profile {
  /** How long the profiles are together, idle or not. */
  readonly seconds: number;
  readonly busySeconds: Readonly<Record<Owner, number>>;
  /** Rollcall's own functions with the seconds in themselves, the longest first. */
  readonly own: readonly (readonly [name: string, seconds: number])[];
}

/** The `.cpuprofile` format of V8, as far as it is read here: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile. */
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      hitCount: z.number(),
      callFrame: z.object({
        functionName: z.string(),
        url: z.string(),
        lineNumber: z.number(),
        columnNumber: z.number(),
      }),
    }),
  ),
  startTime: z.number(),
  endTime: z.number(),
});
type Frame = z.infer<typeof profileSchema>['nodes'][number]['callFrame'];

/** Adds up profiles of one bundle, which has its source map beside it. */
export function readProfiles(paths: readonly string[], bundle: string): Profile {
  const sourceOf = sourcesOf(bundle);
  const busySeconds = Object.fromEntries(OWNERS.map((owner) => [owner, 0])) as Record<Owner, number>; // all are there
  const own = new Map<string, number>();
  let seconds = 0;
  for (const path of paths) {
    const { nodes, startTime, endTime } = profileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const lasted = (endTime - startTime) / 1e6;
    const each = lasted / nodes.reduce((sum, { hitCount }) => sum + hitCount, 0);
    seconds += lasted;
    for (const { hitCount, callFrame } of nodes) {
      if (callFrame.functionName === '(idle)') continue;
      const source = sourceOf(callFrame);
      const owner = ownerOf(callFrame, source);
      busySeconds[owner] += hitCount * each;
      if (owner !== 'Rollcall') continue;
      const name = `${callFrame.functionName || 'anonymous'} in ${source}`;
      own.set(name, (own.get(name) ?? 0) + hitCount * each);
    }
  }
  return { seconds, busySeconds, own: [...own].toSorted(([, one], [, other]) => other - one) };
}

function ownerOf({ functionName }: Frame, source: string | undefined): Owner {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (source === undefined) return 'Node';
  if (/^node_modules\/@(aws|aws-sdk|aws-crypto|smithy)\//.test(source)) return 'AWS SDK';
  if (source.startsWith('node_modules/')) return 'other packages';
  return /^(functions|shared)\//.test(source) ? 'Rollcall' : 'bench';
}

/** The source file of a frame from the project's root on; `undefined` for what is not in the bundle: Node and V8. */
function sourcesOf(bundle: string): (frame: Frame) => string | undefined {
  const map = new SourceMap(JSON.parse(readFileSync(`${bundle}.map`, 'utf8')) as SourceMapPayload); // esbuild wrote it
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.startsWith('file:')) return undefined;
    if (basename(url) !== basename(bundle)) return url;
    const entry = map.findEntry(lineNumber, columnNumber);
    return 'originalSource' in entry ? relative(ROOT, resolve(dirname(bundle), entry.originalSource)) : url;
  };
}
