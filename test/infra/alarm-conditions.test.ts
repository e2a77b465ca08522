import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';

import { synthesizedStage, textOf, type Json } from './synthesized-stage.ts';

const PAGE = fileURLToPath(new URL('../../docs/operations-handbook.md', import.meta.url));
const stage = synthesizedStage();

/** What each metric counts, as whoever is woken reads it; one that is not here fails the test. */
const METRICS: Readonly<Record<string, string>> = {
  ApproximateNumberOfMessagesVisible: 'messages lie in the queue',
  ApproximateAgeOfOldestMessage: 'seconds that the oldest message has waited',
  Errors: 'invocations failed',
  Throttles: 'invocations were held back',
  RecursiveInvocationsDropped: 'invocations were dropped as a loop',
  Invocations: 'times that the schedule ran',
  MessagesFailed: 'messages failed and come again',
  MessagesQuarantined: 'messages were put into quarantine',
  RowsFailedByOthers: 'reports with dead letters of rows that are not to blame',
  JobsHalted: 'jobs halted',
  ApprovalsOverdue: 'reminders of a suspend or deactivate that waits',
  CredentialsFailing: 'notices of credentials',
};

const alarms = stage
  .all('AWS::CloudWatch::Alarm')
  .map(([id, { Properties: alarm }]) => ({ name: id.replace(/[0-9A-F]{8}$/, ''), alarm }))
  .toSorted((one, other) => (one.name < other.name ? -1 : 1));

function conditionOf({
  MetricName: metric,
  Threshold,
  ComparisonOperator,
  EvaluationPeriods,
  Period,
  Statistic,
}: Json): string {
  const counted = METRICS[metric] ?? expect.fail(`${metric} says nothing yet`);
  const than = ComparisonOperator === 'LessThanThreshold' ? 'fewer than' : 'more than';
  const minutes = (EvaluationPeriods * Period) / 60;
  const what = Statistic === 'Maximum' ? counted : `${counted}, summed`;
  return `${than} ${Threshold}: ${what}; ${EvaluationPeriods > 1 ? `${minutes} minutes long` : `within ${minutes} minutes`}`;
}

const written = [
  '| alarm | goes on at |',
  '| --- | --- |',
  ...alarms.map(({ name, alarm }) => `| \`${name}\` | ${conditionOf(alarm)} |`),
].join('\n');

it('stand in the handbook as the template has them (npm test -- test/infra/alarm-conditions.test.ts -u writes it)', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const text = page.replace(/(<!-- table: alarms -->\n)[^]*?(<!-- \/table -->)/, `$1\n${written}\n\n$2`);

  expect(page).toContain('<!-- table: alarms -->');
  await expect(await format(text, { ...(await resolveConfig(PAGE)), filepath: PAGE })).toMatchFileSnapshot(PAGE);
});

it.each(alarms)(
  '$name keeps what the handbook promises: told within ten minutes, and off again by itself',
  ({ alarm }) => {
    expect(alarm.EvaluationPeriods * alarm.Period).toBeLessThanOrEqual(600);
    // Counts are of what happens and not of what lies there, but for last stops and ages, which end when somebody acts.
    const lies = ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage'].includes(alarm.MetricName);
    expect(alarm.Statistic).toBe(lies ? 'Maximum' : 'Sum');
  },
);

it('wake somebody for halted jobs, credentials, suspends that wait and infrastructure, and for no row that is itself to blame', () => {
  const own = alarms.filter(({ alarm }) => textOf(alarm.Namespace) === 'Rollcall').map(({ name }) => name);

  expect(own).toEqual([
    'CredentialsAlarm',
    'DeadLettersAlarm',
    'FailuresAlarm',
    'HaltedAlarm',
    'OverdueAlarm',
    'QuarantineAlarm',
  ]);
});
