import { completeSettings, visibilitySeconds, type Settings } from '../../shared/settings.ts';

/** How long Atlassian takes to show a write in a round; less than the stage's consistency time. */
export const PROPAGATION_MS = 400;
export const RECONCILE_EVERY_MS = 5_000;

/** Nobody is there to approve. */
const MOST = 100_000;

/**
 * The stage of the chaos rounds: every time-out so short that what dies is done again within the round. A window wider than
 * usual, or one batch that died would hold up the whole job.
 */
export const chaosStage = (): Settings =>
  completeSettings({
    splitter: { timeoutSeconds: 3 },
    planner: { timeoutSeconds: 12 },
    policy: {
      rules: [{ above: { takes: MOST, gives: MOST } }],
      tooMany: { percent: 100, people: MOST, unknownTotal: MOST, groupPercent: 100, groupSize: MOST },
      manyRefused: { share: 1, least: MOST },
    },
    worker: {
      timeoutSeconds: 3,
      // What a worker that has just started can look up and write within its two seconds.
      batchSize: 50,
      batchingWindowSeconds: 1,
      consistencySeconds: 1,
      callsUnderWay: 50,
    },
    coordinator: { timeoutSeconds: 2, windowRows: 1_000 },
    reporter: { timeoutSeconds: 3 },
  });

/** How long a batch whose worker died stays hidden. */
export const visibilityMs = (): number => visibilitySeconds(chaosStage().worker) * 1_000;
