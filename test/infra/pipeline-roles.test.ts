import { describe, expect, it } from 'vitest';

import { asList, idIn, synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const stage = synthesizedStage();
const FUNCTIONS = ['Splitter', 'Worker', 'Coordinator', 'Reporter'] as const;

interface Allowed {
  readonly action: string;
  readonly resource: string;
}

/** `Results/jobs/*` rather than a join of references. */
function readable(resource: unknown): string {
  return textOf(resource).replace(/<(\w+?)[0-9A-F]{8}>/g, '$1');
}

const allowed = Object.fromEntries(
  FUNCTIONS.map((name): [string, readonly Allowed[]] => {
    const { Policies: policies } = stage.one('AWS::IAM::Role', `${name}Role`).Properties;
    const statements = policies.flatMap((policy: Json) => policy.PolicyDocument.Statement);
    return [
      name,
      statements.flatMap((statement: Json) =>
        asList<string>(statement.Action).flatMap((action) =>
          asList<unknown>(statement.Resource).map((resource) => ({ action, resource: readable(resource) })),
        ),
      ),
    ];
  }),
);

const of = (name: (typeof FUNCTIONS)[number]): readonly Allowed[] => allowed[name] ?? [];

describe.each(FUNCTIONS)('the role of the %s', (name) => {
  it('names every action in full', () => {
    expect(of(name).filter(({ action }) => /[*?]/.test(action))).toEqual([]);
  });

  it('is never about everything', () => {
    expect(of(name).filter(({ resource }) => resource === '*')).toEqual([]);
  });

  it('writes its own log and no other', () => {
    const logs = of(name).filter(({ action }) => action.startsWith('logs:'));

    expect(new Set(logs.map(({ resource }) => resource))).toEqual(new Set([`${name}Log`]));
  });

  it('has no policy beside the one that the template shows', () => {
    const role = stage.one('AWS::IAM::Role', `${name}Role`).Properties;

    expect(role.ManagedPolicyArns).toBeUndefined();
    expect(stage.all('AWS::IAM::Policy')).toEqual([]);
  });

  it('receives from its event sources alone', () => {
    const lambda = stage.idOf('AWS::Lambda::Function', name);
    const sources = stage
      .all('AWS::Lambda::EventSourceMapping')
      .filter(([, { Properties: source }]) => idIn(source.FunctionName) === lambda)
      .map(([, { Properties: source }]) => readable(source.EventSourceArn));

    const received = of(name).filter(({ action }) => action === 'sqs:ReceiveMessage');
    expect(received.map(({ resource }) => resource).toSorted()).toEqual(sources.toSorted());
  });
});

it.each([
  ['Splitter', ['Events', 'Tasks']],
  ['Worker', ['DeadLetters', 'Events', 'Tasks']],
  ['Coordinator', ['Enqueue', 'Events', 'Reports']],
  ['Reporter', ['Events']],
] as const)('the %s sends to %j and to no other queue', (name, queues) => {
  const sent = of(name).filter(({ action }) => action === 'sqs:SendMessage');

  expect(sent.map(({ resource }) => resource).toSorted()).toEqual(queues);
});

it.each([
  [
    'Splitter',
    [
      'Results/quarantine/*',
      'Results/jobs/*/chunks/*',
      'Results/jobs/*/order/*',
      'Results/jobs/*/validation.json',
      'Results/rows/*',
    ],
  ],
  [
    'Worker',
    ['Results/jobs/*/claims/*', 'Results/jobs/*/failures/*', 'Results/jobs/*/isolated/*', 'Results/quarantine/*'],
  ],
  [
    'Coordinator',
    [
      'Results/*/status.json',
      'Results/quarantine/*',
      'Results/jobs/*/chunks/*',
      'Results/jobs/*/state.json',
      'Results/open/*',
    ],
  ],
  [
    'Reporter',
    [
      'Results/*/failed.csv',
      'Results/*/results.csv',
      'Results/*/summary.json',
      'Results/*/unprocessed.csv',
      'Results/quarantine/*',
    ],
  ],
] as const)('the %s writes %j and nothing else', (name, keys) => {
  const written = of(name).filter(({ action }) => action === 's3:PutObject');

  expect(written.map(({ resource }) => resource).toSorted()).toEqual(keys.toSorted());
});

it('lets the splitter read the inbox, and nobody else', () => {
  const readers = FUNCTIONS.filter((name) => of(name).some(({ resource }) => resource.startsWith('Inbox')));

  expect(readers).toEqual(['Splitter']);
});

it('lets nobody write to the inbox, and nobody delete but the marker of an open job', () => {
  const everyone = FUNCTIONS.flatMap(of);
  const changing = everyone.filter(({ action, resource }) => action === 's3:PutObject' && resource.startsWith('Inbox'));
  const deleting = everyone.filter(({ action }) => action.startsWith('s3:Delete'));

  expect(changing).toEqual([]);
  expect(deleting).toEqual([{ action: 's3:DeleteObject', resource: 'Results/open/*' }]);
});

it('lets the splitter and the worker read the secrets of targets, and nobody else any', () => {
  const readers = FUNCTIONS.filter((name) => of(name).some(({ action }) => action.startsWith('secretsmanager:')));
  const secrets = readers.flatMap(of).filter(({ action }) => action.startsWith('secretsmanager:'));

  expect(readers).toEqual(['Splitter', 'Worker']);
  for (const { action, resource } of secrets) {
    expect(action).toBe('secretsmanager:GetSecretValue');
    expect(resource).toMatch(/:secret:rollcall\/\*$/);
  }
});
