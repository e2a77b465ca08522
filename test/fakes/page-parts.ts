import type { PageParts } from '../../shared/page/document.ts';

/** A page of words alone: neither style nor script is there before the bundling. */
export const PAGE: PageParts = {
  assets: { style: '', scripts: { report: '', status: '' } },
  place: { inbox: 'inbox', results: 'results', deadLetters: 'dead-letters', region: 'eu-west-1', isLocal: false },
};
