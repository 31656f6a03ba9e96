/** Rates by number of training samples, with the teacher's and the untrained model's as lines. */

import * as Plot from '@observablehq/plot';
import { armColour, armLabel } from './arms.ts';
import { drawFigure } from './draw-figure.ts';
import type { Markup } from './markup.ts';
import { percent } from './number-format.ts';
import type { LearningCurve } from './run-data.ts';

/** One stage: usable rate (dots, where outputs are scored) and rate (rings), on a logarithmic axis of samples. */
export function learningCurveFigure({ points, references }: LearningCurve, stage: string): Markup {
  const own = points.filter((point) => point.stage === stage).sort((a, b) => a.samples - b.samples);
  const usable = own.filter((point) => point.usable !== undefined);
  const hasUsable = usable.length > 0;
  const colour = 'var(--arm-student)';
  const lines = references.flatMap(({ stage: of, arm, rate, usable: share }) => {
    const value = hasUsable ? share : rate;
    return of === stage && value !== undefined ? [{ arm, value }] : [];
  });
  const ends = own.map(({ samples }) => samples);
  // A single size would be an empty axis.
  const domain = [Math.min(...ends) * 0.8, Math.max(...ends) * 1.25];
  const said = own.map(
    ({ samples, rate, usable: share }) => `${samples}: ${hasUsable ? `${percent(share)} and ` : ''}${percent(rate)}`,
  );
  return drawFigure(`${hasUsable ? 'Usable rate and rate' : 'Rate'} by training samples: ${said.join('; ')}`, {
    height: 250,
    marginLeft: 44,
    marginRight: 20,
    marginBottom: 40,
    x: { type: 'log', domain, axis: null },
    y: {
      domain: [0, 1],
      tickFormat: (d: number) => `${Math.round(d * 100)}%`,
      ticks: 5,
      grid: true,
      label: null,
      tickSize: 0,
    },
    marks: [
      // Labels of their own: a logarithmic axis leaves out those between powers of ten.
      Plot.text(ends, { x: (samples) => samples, frameAnchor: 'bottom', dy: 16, text: String, fill: 'var(--soft)' }),
      Plot.text(['training samples'], {
        frameAnchor: 'bottom-right',
        dy: 32,
        text: (label) => label,
        fill: 'var(--soft)',
      }),
      ...lines.map(({ arm, value }) => Plot.ruleY([value], { stroke: armColour(arm), strokeDasharray: '4,4' })),
      Plot.text(lines, {
        x: () => domain[0]!,
        y: 'value',
        text: ({ arm }) => armLabel(arm),
        textAnchor: 'start',
        dy: -7,
        dx: 3,
        fill: 'var(--soft)',
      }),
      Plot.ruleX(own, {
        x: 'samples',
        y1: ({ rateInterval }) => rateInterval?.[0],
        y2: ({ rateInterval }) => rateInterval?.[1],
        stroke: colour,
        strokeWidth: 1.25,
        dx: 5,
      }),
      Plot.lineY(own, { x: 'samples', y: 'rate', stroke: colour, strokeWidth: 1, strokeOpacity: 0.6, dx: 5 }),
      Plot.dot(own, { x: 'samples', y: 'rate', r: 4, stroke: colour, strokeWidth: 1.5, fill: 'var(--surface)', dx: 5 }),
      Plot.ruleX(usable, {
        x: 'samples',
        y1: ({ usableInterval }) => usableInterval?.[0],
        y2: ({ usableInterval }) => usableInterval?.[1],
        stroke: colour,
        strokeWidth: 3,
        dx: -5,
      }),
      Plot.lineY(usable, { x: 'samples', y: 'usable', stroke: colour, strokeWidth: 2, dx: -5 }),
      Plot.dot(usable, { x: 'samples', y: 'usable', r: 5, fill: colour, dx: -5 }),
    ],
  });
}
