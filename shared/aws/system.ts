import { randomUUID } from 'node:crypto';

import type { Chance, Clock } from '../ports.ts';

/** The time of this machine. */
export const systemClock: Clock = { now: () => new Date() };

/** Real ids and real dice. */
export const systemChance: Chance = { uuid: randomUUID, random: Math.random };
