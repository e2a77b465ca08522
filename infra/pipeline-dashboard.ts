import { Dashboard, GraphWidget, MathExpression, Metric, TextWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import { stackNameOf, type Settings } from '../shared/settings.ts';
import {
  METRICS_NAMESPACE,
  STACK_DIMENSION,
  STACK_METRICS,
  TARGET_DIMENSION,
  TARGET_METRICS,
  type TargetMetric,
} from '../shared/metrics.ts';
import type { Queues } from './pipeline-queues.ts';

interface DashboardOptions {
  readonly stage: Settings;
  readonly queues: Queues;
}

const PERIOD = Duration.minutes(5);
const WIDTH = 12;

/** One look at what the stack does: rows and calls by target, waits, how long jobs take, and what alarms watch. */
export function pipelineDashboard(scope: Construct, { stage, queues }: DashboardOptions): void {
  const name = stackNameOf(stage);
  const byTarget = (...metrics: readonly TargetMetric[]): IMetric[] =>
    metrics.map((metric) => searchTargets(name, metric));
  const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, width: WIDTH, left });
  const oldest = Object.entries(queues).filter(([queue]) => queue !== 'deadLetters');
  new Dashboard(scope, 'Dashboard', {
    dashboardName: name,
    widgets: [
      [
        new TextWidget({
          width: 2 * WIDTH,
          height: 2,
          markdown: `# ${name}\nRows and calls by target. \`npx rollcall status\` lists the jobs; the operations handbook says what to do at each alarm.`,
        }),
      ],
      [
        graph('Rows', byTarget('rowsChanged', 'rowsUnchanged', 'rowsFailed')),
        graph('Calls at Atlassian, and those answered 429', byTarget('calls', 'callsRateLimited')),
      ],
      [
        graph('Seconds waited for the rate limit', byTarget('rateLimitWaitSeconds')),
        graph('Seconds that plans and jobs took', byTarget('planSeconds', 'jobSeconds')),
      ],
      [
        graph(
          'Age of the oldest message, seconds',
          oldest.map(([label, queue]) => queue.metricApproximateAgeOfOldestMessage({ label, statistic: 'Maximum' })),
        ),
        graph(
          'What alarms watch',
          STACK_METRICS.map(
            (metricName) =>
              new Metric({
                namespace: METRICS_NAMESPACE,
                metricName,
                dimensionsMap: { [STACK_DIMENSION]: name },
                statistic: 'Sum',
                period: PERIOD,
              }),
          ),
        ),
      ],
    ],
  });
}

/** A line for each target that there is by then: targets are added after deployment. (CloudWatch user guide, search expressions.) */
function searchTargets(stackName: string, metric: TargetMetric): MathExpression {
  const statistic = TARGET_METRICS[metric] === 'Seconds' ? 'Maximum' : 'Sum';
  const schema = `{${METRICS_NAMESPACE},${STACK_DIMENSION},${TARGET_DIMENSION}}`;
  return new MathExpression({
    expression: `SEARCH('${schema} MetricName="${metric}" ${STACK_DIMENSION}="${stackName}"', '${statistic}', ${PERIOD.toSeconds()})`,
    label: metric,
    period: PERIOD,
    usingMetrics: {},
  });
}
