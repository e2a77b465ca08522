/** A price that AWS publishes, in US dollars. */
export interface Price {
  readonly dollars: number;
  /** Of how many of the unit. */
  readonly per: number;
  readonly unit: string;
  readonly source: string;
}

/** When the prices were looked up, and where they hold. First tiers, without the free ones. */
export const PRICES_OF = { date: '2026-11-21', region: 'us-east-1' } as const;

const LAMBDA = 'https://aws.amazon.com/lambda/pricing/';
const SQS = 'https://aws.amazon.com/sqs/pricing/';
const S3 = 'https://aws.amazon.com/s3/pricing/';

/** Everything that a row costs at AWS. */
export const PRICES = {
  lambdaDuration: { dollars: 0.0000133334, per: 1, unit: 'GB-second on arm64', source: LAMBDA },
  lambdaRequests: { dollars: 0.2, per: 1_000_000, unit: 'invocations', source: LAMBDA },
  sqsStandard: { dollars: 0.4, per: 1_000_000, unit: 'requests of up to 64 KB', source: SQS },
  /** On top of a standard queue's requests when messages name a group. */
  sqsFair: { dollars: 0.1, per: 1_000_000, unit: 'requests of up to 64 KB', source: SQS },
  sqsFifo: { dollars: 0.5, per: 1_000_000, unit: 'requests of up to 64 KB', source: SQS },
  s3Write: { dollars: 0.005, per: 1_000, unit: 'PUT, COPY, POST and LIST requests', source: S3 },
  s3Read: { dollars: 0.0004, per: 1_000, unit: 'GET and other requests', source: S3 },
  s3Storage: { dollars: 0.023, per: 1, unit: 'GB-month', source: S3 },
  logs: { dollars: 0.5, per: 1, unit: 'GB ingested', source: 'https://aws.amazon.com/cloudwatch/pricing/' },
  secrets: { dollars: 0.05, per: 10_000, unit: 'calls', source: 'https://aws.amazon.com/secrets-manager/pricing/' },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;

/** What so much costs. */
export const costOf = (name: PriceName, quantity: number): number =>
  (PRICES[name].dollars * quantity) / PRICES[name].per;
