/** Something that a role allows and the exercise does not use, and why it has to be allowed. */
export interface Exception {
  readonly use: RegExp;
  readonly reason: string;
}

/** All that is allowed beyond what was recorded. Nothing is recorded beyond what is allowed: it would be refused. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    use: /^\w+ logs:(CreateLogStream|PutLogEvents) /,
    reason: "Lambda itself writes a function's log in its name; the local stack keeps logs in files.",
  },
  {
    use: /^reporter s3:AbortMultipartUpload results\/\*\/(results|failed|unprocessed|plan|undo)\.csv$/,
    reason: 'Parts of a report are thrown away only when its writing breaks off between two of them.',
  },
  {
    use: /^coordinator sqs:SendMessage Rollcall-Validate/,
    reason: 'A file is asked for again only when the message that asked for it is lost.',
  },
  {
    use: /^planner sqs:SendMessage Rollcall-Plan/,
    reason:
      'What cannot be planned now, because Atlassian limits the rate or the time of one message is over, is sent on.',
  },
  {
    use: /^\w+ sqs:ChangeMessageVisibility /,
    reason: 'When a message comes again is said only of one that failed for a passing reason.',
  },
  {
    use: /^(splitter|intake) s3:ListBucket inbox$/,
    reason:
      'S3 answers 404 rather than 403 for a manifest that is gone only to who may list; the object store here tells that apart for newest versions alone.',
  },
];
