import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

import { jsonLog, type Log } from '../log.ts';
import { measure, METRICS_NAMESPACE, TARGET_DIMENSION, TARGET_METRICS, type TargetMetric } from '../metrics.ts';

/** The log of a function: each line that counts towards a metric is followed by one that CloudWatch makes the metric of (embedded metric format), so no call is made for it. */
export function measuredLog(stackName: string): Log {
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: stackName });
  return (event, fields) => {
    jsonLog(event, fields);
    const measured = measure(event, fields);
    if (!measured) return;
    if ('stack' in measured) metrics.addMetric(measured.stack, MetricUnit.Count, 1);
    else {
      metrics.addDimension(TARGET_DIMENSION, measured.target);
      for (const [name, figure] of Object.entries(measured.figures))
        metrics.addMetric(name, MetricUnit[TARGET_METRICS[name as TargetMetric]], figure); // the keys of a record of them
    }
    metrics.publishStoredMetrics();
  };
}
