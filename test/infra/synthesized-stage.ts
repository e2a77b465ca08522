import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';

import { completeSettings, type GivenSettings } from '../../shared/settings.ts';
import { synthesize } from '../../infra/synthesize.ts';

/** What JSON.parse gives: the shape of a template is what the tests are about. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Resource {
  readonly Type: string;
  readonly Properties: Json;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A synthesized stage, its resources by type and by the constructs' names. */
export interface SynthesizedStage {
  readonly outputs: Readonly<Record<string, { readonly Value: unknown }>>;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly all: (type: string) => readonly (readonly [string, Resource])[];
  /** The one resource of this type whose logical id is `name` and CDK's eight letters. */
  readonly one: (type: string, name: string) => Resource;
  readonly idOf: (type: string, name: string) => string;
}

/** Synthesizes a stage without building its bundles: relations between resources do not depend on the code. */
export function synthesizedStage(settings: GivenSettings = {}): SynthesizedStage {
  const outdir = mkdtempSync(join(tmpdir(), 'rollcall-synth-'));
  try {
    const code = () => Code.fromInline('export const handler = () => undefined;');
    const { template } = synthesize({ stage: completeSettings(settings), outdir, code });
    return reader(template as { Resources: Record<string, Resource>; Outputs: SynthesizedStage['outputs'] });
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

function reader({
  Resources: resources,
  Outputs: outputs,
}: {
  readonly Resources: Record<string, Resource>;
  readonly Outputs: SynthesizedStage['outputs'];
}): SynthesizedStage {
  const all = (type: string) => Object.entries(resources).filter(([, resource]) => resource.Type === type);
  const found = (type: string, name: string) => {
    const [entry, ...others] = all(type).filter(([id]) => new RegExp(`^${name}[0-9A-F]{8}$`).test(id));
    if (!entry || others.length > 0) throw new Error(`There is not one ${type} named ${name}`);
    return entry;
  };
  return {
    outputs,
    resources,
    all,
    one: (type, name) => found(type, name)[1],
    idOf: (type, name) => found(type, name)[0],
  };
}

/** The logical id that a `Ref` or `Fn::GetAtt` points to. */
export const idIn = (value: Json): string => value?.Ref ?? value?.['Fn::GetAtt']?.[0];

/** A value that joins references as one text: logical ids in `<>`, everything else as it is. */
export function textOf(value: Json): string {
  if (typeof value === 'string') return value;
  if (value?.['Fn::Join']) return value['Fn::Join'][1].map(textOf).join(value['Fn::Join'][0]);
  const [index, split] = value?.['Fn::Select'] ?? [];
  if (split) return `<${partsOf(split)}${index}>`;
  return `<${idIn(value)}>`;
}

/** `AWS::StackId/2-0`: of what is between slashes the third, and of that, between hyphens, the first. */
function partsOf({ 'Fn::Split': [separator, whole] }: Json): string {
  return textOf(whole).slice(1, -1) + separator;
}

export const asList = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Whether a policy denies everything that does not come over TLS. */
export function deniesPlainText(document: { readonly Statement: readonly Json[] }): boolean {
  return document.Statement.some(
    ({ Effect: effect, Condition: condition, Action: actions }) =>
      effect === 'Deny' &&
      condition?.Bool?.['aws:SecureTransport'] === 'false' &&
      asList<string>(actions).every((action) => action.endsWith(':*')),
  );
}
