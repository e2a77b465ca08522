import { fakeCloud } from '../../fakes/atlassian-cloud.ts';
import { fakeDataCenter } from '../../fakes/atlassian-data-center.ts';

/** Targets as the fakes have them, for checks that call nothing. */
export const CLOUD = fakeCloud().apis.target;
export const DATA_CENTER = fakeDataCenter().apis.target;
