import { drawTimeline } from './timeline.ts';
import { showRows } from './rows.ts';

// The words are there already; what takes longer comes after they are painted.
requestAnimationFrame(() =>
  setTimeout(() => {
    drawTimeline();
    void showRows();
  }),
);
