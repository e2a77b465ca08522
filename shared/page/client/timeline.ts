import uPlot from 'uplot';

import type { Timeline } from '../timeline.ts';
import { readJson } from './data.ts';

const HEIGHT = 200;

/** Draws the rows over time, with the waits for Atlassian's rate shaded. */
export function drawTimeline(): void {
  const timeline = readJson<Timeline>('timeline');
  const place = document.getElementById('plot');
  if (!timeline || !place) return;
  const draw = (): uPlot => new uPlot(optionsFor(timeline, place.clientWidth), dataOf(timeline), place);
  let plot = draw();
  addEventListener('resize', () => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    plot.destroy();
    plot = draw();
  });
}

function dataOf({ fromSeconds, bucketSeconds, rows }: Timeline): uPlot.AlignedData {
  const times = rows.map((_, index) => fromSeconds + index * bucketSeconds);
  return [times, rows.map((count) => count / bucketSeconds)];
}

function optionsFor({ waits }: Timeline, width: number): uPlot.Options {
  const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: color('--text'), grid: { stroke: color('--line') }, ticks: { stroke: color('--line') } };
  const shade = (plot: uPlot): void => {
    const { ctx, bbox } = plot;
    ctx.fillStyle = color('--wait');
    for (const [from, until] of waits) {
      const [left, right] = [plot.valToPos(from, 'x', true), plot.valToPos(until, 'x', true)].map((at) =>
        Math.min(Math.max(at, bbox.left), bbox.left + bbox.width),
      );
      ctx.fillRect(left ?? 0, bbox.top, Math.max(1, (right ?? 0) - (left ?? 0)), bbox.height);
    }
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    axes: [axis, { ...axis, label: 'rows a second', labelSize: 24 }],
    series: [{}, { stroke: color('--changed'), fill: color('--fill'), width: 2, points: { show: false } }],
    hooks: { drawClear: [shade] },
  };
}
