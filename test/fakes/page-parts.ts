import type { PageParts } from '../../shared/page/document.ts';

/** A page of words alone: neither style nor script is there before the bundling. */
export const PAGE: PageParts = {
  assets: { style: '', scripts: { report: '', status: '' } },
  place: { stackName: 'Rollcall', results: 'results', region: 'eu-west-1', isLocal: false },
};
