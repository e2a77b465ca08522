import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, type AppProps } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import * as z from 'zod';

import { type FunctionName, type Settings, stackNameOf } from '../shared/settings.ts';
import { bundleOf } from './bundles.ts';
import { pipelineStack } from './pipeline-stack.ts';

/** What every way to synthesize has in common, whatever the CLI's own settings. */
export const APP_PROPS: AppProps = {
  analyticsReporting: false,
  treeMetadata: false,
  postCliContext: {
    // Without it, S3 would need an access control list to deliver access logs, and our buckets have none.
    '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  },
};

/** The bundle of a function, with what its stage has it hold besides. */
export const bundledCode = (name: FunctionName, stage?: Settings): Code => Code.fromAsset(bundleOf(name, stage));

interface SynthesizeOptions {
  readonly stage: Settings;
  /** The folder that the cloud assembly is written to. */
  readonly outdir: string;
  /** The code of a function; its bundle unless given. */
  readonly code?: ((name: FunctionName) => Code) | undefined;
}

/** A stage as it would be deployed. */
export interface Synthesized {
  readonly stackName: string;
  /** The CloudFormation template. */
  readonly template: unknown;
  /** The folder of a function's code by its S3 key in the template. */
  readonly folderOf: (assetKey: string) => string | undefined;
}

/** Synthesizes a stage in this process, without network or account. The rules of cdk-nag are left to `cdk synth`. */
export function synthesize({
  stage,
  outdir,
  code = (name) => bundledCode(name, stage),
}: SynthesizeOptions): Synthesized {
  const app = new App({ ...APP_PROPS, outdir: resolve(outdir) });
  pipelineStack(app, { stage, code });
  const { directory } = app.synth();
  const stackName = stackNameOf(stage);
  const read = (kind: string): unknown =>
    JSON.parse(readFileSync(join(directory, `${stackName}.${kind}.json`), 'utf8'));
  const folders = foldersByKey(directory, read('assets'));
  return { stackName, template: read('template'), folderOf: (assetKey) => folders.get(assetKey) };
}

const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string(), packaging: z.string() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
});

function foldersByKey(directory: string, assets: unknown): ReadonlyMap<string, string> {
  const folders = Object.values(assetsSchema.parse(assets).files).filter(({ source }) => source.packaging === 'zip');
  return new Map(
    folders.flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, join(directory, source.path)] as const),
    ),
  );
}
