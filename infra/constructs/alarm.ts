import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

interface AlarmOptions {
  readonly topic: ITopic;
  readonly metric: IMetric;
  /** The alarm goes off above this, or where `below` is given, below that: then silence is no health. */
  readonly above?: number;
  readonly below?: number;
  /** How many bad periods it takes, one after the other; one unless given. */
  readonly periods?: number;
  /** Sentences for whoever is woken: what happened, and what to do. */
  readonly description: string;
}

/** The period of all our metrics. */
export const ALARM_PERIOD = Duration.minutes(5);

/** An alarm as all of ours are: one bad period is enough and silence is health unless it says otherwise, and the topic is told. */
export function pipelineAlarm(scope: Construct, id: string, options: AlarmOptions): void {
  const { topic, metric, above = 0, below, periods = 1, description } = options;
  const alarm = new Alarm(scope, id, {
    metric,
    threshold: below ?? above,
    comparisonOperator:
      below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: periods,
    treatMissingData: below === undefined ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
    alarmDescription: `${description} See ${id} in the operations handbook.`,
  });
  alarm.addAlarmAction(new SnsAction(topic));
}
