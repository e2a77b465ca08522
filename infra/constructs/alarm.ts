import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

interface AlarmOptions {
  readonly topic: ITopic;
  readonly metric: IMetric;
  /** The alarm goes off above this. */
  readonly above: number;
  /** Sentences for whoever is woken: what happened, and what to do. */
  readonly description: string;
}

/** The period of all our metrics. */
export const ALARM_PERIOD = Duration.minutes(5);

/** An alarm as all of ours are: one bad period is enough, silence is health, and the topic is told. */
export function pipelineAlarm(scope: Construct, id: string, { topic, metric, above, description }: AlarmOptions): void {
  const alarm = new Alarm(scope, id, {
    metric,
    threshold: above,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: description,
  });
  alarm.addAlarmAction(new SnsAction(topic));
}
