/** What each round gained: usable dev outputs by round, and the gains with their intervals. */

import * as Plot from '@observablehq/plot';
import { drawFigure } from './draw-figure.ts';
import type { Markup } from './markup.ts';
import { percent, points, pointsInterval } from './number-format.ts';
import type { RoundFacts } from './run-data.ts';

const FRAME = { height: 220, marginLeft: 48, marginRight: 20, marginTop: 24 };

const rounds = (among: readonly RoundFacts[]) => ({
  domain: among.map(({ round }) => round),
  label: null,
  tickFormat: (round: number) => `round ${round}`,
  tickSize: 0,
});

/** Usable outputs of the students of each round, with the teacher's as a dashed line. */
export function usableFigure(among: readonly RoundFacts[]): Markup {
  const known = among.filter(({ usable }) => usable !== undefined);
  const said = known.map(({ round, usable }) => `round ${round}: ${percent(usable)}`).join(', ');
  return drawFigure(`Usable dev outputs by round: ${said}`, {
    ...FRAME,
    x: { type: 'point', padding: 0.3, ...rounds(among) },
    y: {
      domain: [0, 1],
      tickFormat: (d: number) => `${Math.round(d * 100)}%`,
      ticks: 5,
      grid: true,
      label: null,
      tickSize: 0,
    },
    marks: [
      Plot.lineY(among, { x: 'round', y: 'teacherUsable', stroke: 'var(--arm-teacher)', strokeDasharray: '4,4' }),
      Plot.dot(among, { x: 'round', y: 'teacherUsable', r: 3, fill: 'var(--arm-teacher)' }),
      Plot.lineY(known, { x: 'round', y: 'usable', stroke: 'var(--arm-student)', strokeWidth: 2 }),
      Plot.dot(known, { x: 'round', y: 'usable', r: 5, fill: 'var(--arm-student)' }),
      Plot.text(known, { x: 'round', y: 'usable', text: ({ usable }) => percent(usable), dy: 16, fill: 'var(--ink)' }),
    ],
  });
}

/** Points that each round added to the one before, with 95% intervals. */
export function gainFigure(among: readonly RoundFacts[]): Markup {
  const known = among.filter(({ gain }) => gain !== undefined);
  const said = known.map(({ round, gain, gainInterval }) => {
    const interval = pointsInterval(gainInterval);
    return `round ${round}: ${points(gain, 1)}${interval === undefined ? '' : ` (95% interval ${interval})`}`;
  });
  return drawFigure(`Gain of usable dev outputs by round, in points: ${said.join(', ')}`, {
    ...FRAME,
    x: { type: 'point', padding: 0.3, ...rounds(known) },
    y: { tickFormat: (d: number) => points(d, 0), ticks: 5, grid: true, label: null, tickSize: 0 },
    marks: [
      Plot.ruleY([0], { stroke: 'var(--soft)' }),
      Plot.ruleX(known, {
        x: 'round',
        y1: ({ gainInterval }: RoundFacts) => gainInterval?.[0],
        y2: ({ gainInterval }: RoundFacts) => gainInterval?.[1],
        stroke: 'var(--arm-student)',
        strokeWidth: 3,
      }),
      Plot.dot(known, { x: 'round', y: 'gain', r: 5, fill: 'var(--arm-student)' }),
      Plot.text(known, {
        x: 'round',
        y: 'gain',
        text: ({ gain }: RoundFacts) => points(gain, 1),
        dx: 10,
        textAnchor: 'start',
        fill: 'var(--ink)',
      }),
    ],
  });
}
