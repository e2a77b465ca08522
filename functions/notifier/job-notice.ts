import { isWaiting, type JobState } from '../../shared/job/job.ts';
import { jobHash } from '../../shared/job/keys.ts';
import type { NoticeRequest } from '../../shared/job/messages.ts';
import { noticeName } from '../../shared/job/notices.ts';
import type { Summary } from '../../shared/job/summary.ts';
import { commandsFor, consoleLink, type Place } from '../../shared/job/commands.ts';
import { wordsFor } from '../../shared/job/words.ts';
import { type Notice, REFUSED } from '../../shared/notice.ts';
import { withoutAddresses, withoutCells } from './without-people.ts';

interface Occasion {
  readonly summary: Summary;
  readonly request: NoticeRequest;
  readonly place: Place;
  readonly at: Date;
}

/** What is told of a job, from the summary of its report. */
export function jobNotice({ summary, request, place, at }: Occasion): Notice {
  const job = jobHash(summary.job);
  const { target, operation, state } = summary;
  const { title, ...words } = wordsFor({ summary, request, commands: commandsFor(job, place) });
  const where = [operation, target].filter((name) => name !== '').join(' on ');
  return {
    version: 1,
    id: `${job}/${noticeName(request)}`,
    at: at.toISOString(),
    state: request.about === 'failures' ? 'dead-letters' : noticeStateOf(state),
    target,
    ...(operation !== '' && { operation }),
    job,
    title: where === '' ? title : `${title}: ${where}`,
    reasons: reasonsOf(summary),
    failures: isWaiting(state)
      ? []
      : (summary.failures ?? []).map(({ lines, ...failure }) => ({ ...failure, lines: [...lines] })),
    ...words,
    sentences: [...words.sentences],
    next: [...words.next],
    ...consoleLink(place, where === '' ? 'rejected/' : `${target}/${operation}/`),
  };
}

/** The states in which a job stops, and so is told of. */
function noticeStateOf(state: JobState): Exclude<Notice['state'], 'dead-letters' | 'credentials'> {
  if (state === 'validating' || state === 'planning' || state === 'running' || state === 'paused')
    throw new Error(`Nobody is notified of a job that is ${state}`);
  return state;
}

function reasonsOf({ state, waiting, halt, problems = [] }: Summary): Notice['reasons'] {
  if (isWaiting(state))
    return (waiting?.reasons ?? []).map(({ code, message }) => ({ code, message: withoutAddresses(message) }));
  if (halt) return [{ code: halt.code, message: withoutCells(halt.message) }];
  return problems.map(({ line, message }) => ({
    code: line === undefined ? REFUSED : `line ${line}`,
    message: withoutCells(message),
  }));
}
