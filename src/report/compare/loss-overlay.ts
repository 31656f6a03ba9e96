/** Loss curves of one student in two runs, over each other. */

import * as Plot from '@observablehq/plot';
import { drawFigure } from '../draw-figure.ts';
import type { Markup } from '../markup.ts';
import { condense, runningMean } from '../plots.ts';
import type { StudentFacts } from '../run-data.ts';
import type { Both } from './comparison-data.ts';

/** Points of a curve that are drawn; more cannot be told apart at this width. */
const MAX_POINTS = 220;
const COLOURS: Both<string> = ['var(--run-first)', 'var(--run-second)'];

/** Running means of the training losses as lines, dev losses as dots on dashes. */
export function lossOverlay(name: string, students: Both<StudentFacts | undefined>): Markup {
  const marks = students.flatMap((student, i) => {
    if (student === undefined) return [];
    const stroke = COLOURS[i]!;
    const raw = condense(student.losses, MAX_POINTS);
    const smooth = runningMean(raw, Math.max(1, Math.round(raw.length / 20)));
    const place = { x: 'step', y: 'loss' } as const;
    return [
      Plot.lineY(smooth, { ...place, stroke, strokeWidth: 1.75 }),
      Plot.lineY(student.devLosses, { ...place, stroke, strokeDasharray: '3,3' }),
      Plot.dot(student.devLosses, {
        ...place,
        r: 3.5,
        ...(i === 0 ? { fill: stroke } : { stroke, fill: 'var(--surface)', strokeWidth: 1.5 }),
      }),
    ];
  });
  return drawFigure(`Losses of student ${name} by training step in both runs`, {
    height: 250,
    marginLeft: 44,
    marginRight: 20,
    x: { label: 'step', tickSize: 0, ticks: 6 },
    y: { label: 'loss (nats a token)', grid: true, tickSize: 0, ticks: 5 },
    marks,
  });
}
