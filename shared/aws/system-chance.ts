import { randomUUID } from 'node:crypto';

import type { Chance } from '../ports.ts';

/** Real ids and real dice. */
export const systemChance: Chance = { uuid: randomUUID, random: Math.random };
