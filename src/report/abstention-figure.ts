/** Accuracy by coverage: how right an arm is where it answers only what it is sure of. */

import * as Plot from '@observablehq/plot';
import { armColour, armLabel } from './arms.ts';
import { drawFigure } from './draw-figure.ts';
import type { Markup } from './markup.ts';
import { percent } from './number-format.ts';
import type { AbstentionCurves } from './run-data.ts';

const asPercent = (share: number) => `${Math.round(share * 100)}%`;

/** A line an arm, from all answers (right) to the surest ones (left). */
export function abstentionFigure({ field, curves }: AbstentionCurves): Markup {
  const told = curves.map(({ arm, points }) => `${armLabel(arm)} ${percent(points[0]!.accuracy)} of all answers`);
  const axis = { domain: [0, 1], tickFormat: asPercent, ticks: 5, grid: true, tickSize: 0 };
  return drawFigure(`Accuracy of ${field} by share of answers given: ${told.join('; ')}`, {
    height: 262,
    marginTop: 28,
    marginBottom: 40,
    marginLeft: 44,
    marginRight: 20,
    x: { ...axis, label: 'answered' },
    y: { ...axis, label: 'right of those' },
    marks: curves.flatMap(({ arm, points }) => {
      const stroke = armColour(arm);
      return [
        Plot.line(points, { x: 'answered', y: 'accuracy', stroke, strokeWidth: 2 }),
        Plot.dot([points[0]!], { x: 'answered', y: 'accuracy', r: 4, fill: stroke }),
      ];
    }),
  });
}
