import { describe, expect, it } from 'vitest';

import { REPORT_FILES } from '../../shared/job/keys.ts';
import { asList, idIn, synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const stage = synthesizedStage();
const FUNCTIONS = ['Intake', 'Splitter', 'Planner', 'Worker', 'Coordinator', 'Reporter', 'Notifier'] as const;

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
    // Names of secrets can be listed all or none.
    const listing = name === 'Notifier' ? [{ action: 'secretsmanager:ListSecrets', resource: '*' }] : [];
    expect(of(name).filter(({ resource }) => resource === '*')).toEqual(listing);
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
  ['Intake', ['Events', 'Validate']],
  ['Splitter', ['Events', 'Tasks']],
  ['Planner', ['Events', 'Plan']],
  ['Worker', ['Events', 'Tasks']],
  ['Coordinator', ['Enqueue', 'Events', 'NoticesQueue', 'Plan', 'Reports', 'Validate']],
  ['Reporter', ['DeadLetters', 'Events']],
  ['Notifier', []],
] as const)('the %s sends to %j and to no other queue', (name, queues) => {
  const sent = of(name).filter(({ action }) => action === 'sqs:SendMessage');

  expect(sent.map(({ resource }) => resource).toSorted()).toEqual(queues);
});

it.each([
  ['Intake', ['rejected/control/*']],
  ['Splitter', ['jobs/*/chunks/*', 'jobs/*/validation.json', 'rows/*']],
  ['Planner', ['jobs/*/chunks/*', 'jobs/ledger/*', 'plan/*']],
  ['Worker', ['jobs/*/isolated/*']],
  [
    'Coordinator',
    ['*/status.html', '*/status.json', 'jobs/*/chunks/*', 'jobs/*/state.json', 'open/*', 'rejected/control/*'],
  ],
  ['Reporter', [...REPORT_FILES.map((file) => `*/${file}`), 'jobs/*/dead-letters.json']],
  ['Notifier', ['jobs/*/told/*', 'jobs/credentials/*']],
] as const)('the %s writes %j, what it quarantines, and nothing else', (name, keys) => {
  const written = of(name).filter(({ action }) => action === 's3:PutObject');

  const expected = ['quarantine/*', ...keys].map((key) => `Results/${key}`);
  expect(written.map(({ resource }) => resource).toSorted()).toEqual(expected.toSorted());
});

it.each([
  ['Intake', ['jobs/*/state.json']],
  ['Splitter', ['jobs/*/state.json', 'jobs/*/validation.json', 'plan/*']],
  ['Planner', ['jobs/*/state.json', 'jobs/*/validation.json', 'jobs/ledger/*', 'plan/*', 'rows/*']],
  ['Worker', ['jobs/*/state.json']],
  ['Coordinator', ['jobs/*/state.json', 'jobs/*/validation.json', 'plan/*']],
  [
    'Reporter',
    ['jobs/*/chunks/*', 'jobs/*/dead-letters.json', 'jobs/*/state.json', 'jobs/*/validation.json', 'plan/*', 'rows/*'],
  ],
  ['Notifier', ['*/summary.json', 'jobs/*/state.json', 'jobs/*/told/*', 'jobs/credentials/*']],
] as const)('the %s reads %j of the results and nothing else', (name, keys) => {
  const read = of(name).filter(({ action }) => action === 's3:GetObject');

  expect(read.map(({ resource }) => resource).toSorted()).toEqual(keys.map((key) => `Results/${key}`));
});

it('lets the splitter read the inbox, intake the approvals in it, and nobody else', () => {
  const read = FUNCTIONS.flatMap((name) =>
    of(name)
      .filter(({ action }) => action === 's3:GetObjectVersion')
      .map(({ resource }) => [name, resource]),
  );

  expect(read).toEqual([
    ['Intake', 'Inbox/control/*/approve'],
    ['Splitter', 'Inbox/*'],
  ]);
});

it('lets only functions send events: no other role and no queue policy does (promise 4)', () => {
  const events = stage.idOf('AWS::SQS::Queue', 'Events');
  const policies = stage
    .all('AWS::SQS::QueuePolicy')
    .filter(([, { Properties: policy }]) => policy.Queues.map(idIn).includes(events))
    .flatMap(([, { Properties: policy }]) => policy.PolicyDocument.Statement);
  const roles = stage.all('AWS::IAM::Role').map(([id]) => id.replace(/[0-9A-F]{8}$/, ''));

  expect(policies.filter(({ Effect: effect }: Json) => effect !== 'Deny')).toEqual([]);
  expect(roles.toSorted()).toEqual(FUNCTIONS.map((name) => `${name}Role`).toSorted());
});

it('lets nobody write to the inbox, and nobody delete but the marker of an open job', () => {
  const everyone = FUNCTIONS.flatMap(of);
  const changing = everyone.filter(({ action, resource }) => action === 's3:PutObject' && resource.startsWith('Inbox'));
  const deleting = everyone.filter(({ action }) => action.startsWith('s3:Delete'));

  expect(changing).toEqual([]);
  expect(deleting).toEqual([{ action: 's3:DeleteObject', resource: 'Results/open/*' }]);
});

it('lets intake, the planner, the worker and the notifier read the secrets of targets, and nobody else any', () => {
  const readers = FUNCTIONS.filter((name) => of(name).some(({ action }) => action.startsWith('secretsmanager:')));
  const secrets = readers.flatMap(of).filter(({ action }) => action.startsWith('secretsmanager:'));

  expect(readers).toEqual(['Intake', 'Planner', 'Worker', 'Notifier']);
  for (const { action, resource } of secrets.filter(({ action }) => action !== 'secretsmanager:ListSecrets')) {
    expect(action).toBe('secretsmanager:GetSecretValue');
    expect(resource).toMatch(/:secret:rollcall\/\*$/);
  }
});
