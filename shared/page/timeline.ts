/** How the rows' outcomes came over time. */
export interface Timeline {
  /** When the first bucket begins; epoch seconds. */
  readonly fromSeconds: number;
  /** Seconds of a bucket. */
  readonly bucketSeconds: number;
  /** Rows that had their outcome in each. */
  readonly rows: readonly number[];
  /** When rows were handed back to wait for Atlassian's rate, from and until; epoch seconds. */
  readonly waits: readonly (readonly [from: number, until: number])[];
}
