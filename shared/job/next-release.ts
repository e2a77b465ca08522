import { AWAITING_ROW, bareRowStatus, isSettled } from './row-status.ts';
import type { Policy } from './policy.ts';
import type { State } from './state.ts';

// The canary, the ramp, and then the full window: after so many outcomes of rows that were let out, the window is this wide.
const RAMP = [
  { outcomes: 0, window: 1 },
  { outcomes: 1, window: 10 },
  { outcomes: 11, window: 100 },
] as const;
const RAMPED_UP = 111;

/**
 * How many rows of a job are to be let out now: at least as many as are out already, never more than there are.
 * Halting, pausing and ramping up are all said here: rows that are not let out cannot happen.
 */
export function nextRelease(state: State, policy: Policy): number {
  if (state.state !== 'running') return state.released;

  const window = windowFor(state, policy);
  const room = window - countFilling(state);
  // Enqueueing costs requests, so a full window is topped up in quarters.
  return room * 4 < window ? state.released : advance(state, room);
}

function windowFor({ outcomes, rate }: State, policy: Policy): number {
  if (outcomes >= RAMPED_UP) return Math.max(policy.windowRows, Math.ceil(policy.windowSeconds * rate.perSecond));
  return RAMP.findLast((step) => outcomes >= step.outcomes)?.window ?? 1;
}

/** Rows that are out, have no outcome and hold a place in the window. */
function countFilling({ rowStatuses, released }: State): number {
  let filling = 0;
  for (let row = 0; row < released; row += 1) {
    const rowStatus = rowStatuses[row] ?? 0;
    if (!isSettled(rowStatus) && bareRowStatus(rowStatus) !== AWAITING_ROW) filling += 1;
  }
  return filling;
}

/** Past the next `room` rows that have no outcome, and past any that already have one behind them. */
function advance({ rowStatuses, released, rows }: State, room: number): number {
  let next = released;
  for (let left = room; next < rows; next += 1) {
    if (isSettled(rowStatuses[next] ?? 0)) continue;
    if (left === 0) break;
    left -= 1;
  }
  return next;
}
