/** Figures of a collapse analysis: where first anomalies stand in texts, and how lossdiff goes along a text. */

import * as Plot from '@observablehq/plot';
import { drawFigure } from './draw-figure.ts';
import type { Markup } from './markup.ts';
import type { Collapse } from './run-data.ts';

const POSITION = {
  domain: [0, 1],
  label: 'position in the text',
  tickFormat: (share: number) => `${Math.round(share * 100)}%`,
  ticks: 5,
  tickSize: 0,
};

/** Texts by the part of their length in which the first anomaly stands. */
export function anomalyFigure({ anomalies: { histogram, texts }, texts: all }: Collapse): Markup {
  const width = 1 / histogram.length;
  const most = Math.max(1, ...histogram);
  const bars = histogram.map((count, part) => ({ from: part * width, to: (part + 1) * width, count }));
  return drawFigure(`First anomalies of ${texts} of ${all} texts by position: ${histogram.join(', ')} in equal parts`, {
    height: 232,
    marginBottom: 40,
    marginLeft: 44,
    x: POSITION,
    // Texts are whole: no tick between two of them.
    y: { label: 'texts', grid: true, tickSize: 0, ticks: Math.min(4, most), domain: [0, most] },
    marks: [Plot.rectY(bars, { x1: 'from', x2: 'to', y: 'count', fill: 'var(--accent)', inset: 1 })],
  });
}

/** Mean lossdiff by part of the text, with its interval over texts. */
export function lossdiffFigure({ series }: Collapse): Markup {
  const points = series.map(({ from, to, mean, interval }) => ({ at: (from + to) / 2, mean, interval }));
  const banded = points.flatMap(({ at, interval }) => (interval ? [{ at, low: interval[0], high: interval[1] }] : []));
  const [first, last] = [points[0]!, points.at(-1)!];
  return drawFigure(
    `Mean lossdiff along a text, from ${first.mean.toFixed(3)} in its first part to ${last.mean.toFixed(3)} in its last`,
    {
      height: 232,
      marginBottom: 40,
      marginLeft: 52,
      x: POSITION,
      y: { label: 'lossdiff (nats a token)', grid: true, tickSize: 0, ticks: 5 },
      marks: [
        Plot.ruleY([0], { stroke: 'var(--quiet)' }),
        Plot.areaY(banded, { x: 'at', y1: 'low', y2: 'high', fill: 'var(--accent)', fillOpacity: 0.18 }),
        Plot.lineY(points, { x: 'at', y: 'mean', stroke: 'var(--accent)', strokeWidth: 2 }),
      ],
    },
  );
}
