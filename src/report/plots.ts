/** The report's figures. */

import * as Plot from '@observablehq/plot';
import { armColour, armLabel } from './arms.ts';
import { drawFigure } from './draw-figure.ts';
import type { Markup } from './markup.ts';
import { percent } from './number-format.ts';
import type { ScoreHistogram, StageFunnel, StudentFacts, TableRow } from './run-data.ts';

/** Points of a training curve that are drawn; more cannot be told apart at this width. */
const MAX_POINTS = 220;

/** Usable rate (dot) and Rate(>=3) (ring) of each arm with their intervals. */
export function rateFigure(rows: readonly TableRow[]): Markup {
  const marks = rows.flatMap((row) => {
    const y = armLabel(row.arm);
    const stroke = armColour(row.arm);
    const line = (interval: readonly [number, number] | undefined, dy: number, width: number) =>
      interval
        ? [Plot.ruleY([y], { y: (d) => d, x1: interval[0], x2: interval[1], stroke, strokeWidth: width, dy })]
        : [];
    const label = (share: number | undefined, dy: number) =>
      share === undefined ? [] : [Plot.dot([y], { y: (d) => d, x: share, r: 5, fill: stroke, dy })];
    const ring = (share: number | undefined, dy: number) =>
      share === undefined
        ? []
        : [Plot.dot([y], { y: (d) => d, x: share, r: 4, stroke, strokeWidth: 1.5, fill: 'var(--surface)', dy })];
    return [
      ...line(row.usableInterval, -6, 3),
      ...label(row.usable, -6),
      ...line(row.rateInterval, 8, 1.25),
      ...ring(row.rate, 8),
      // The number a reader looks for, at the end of the line.
      Plot.text([y], {
        y: (d) => d,
        frameAnchor: 'right',
        dx: 70,
        text: () => percent(row.usable ?? row.rate),
        textAnchor: 'end',
        fontSize: 13,
        fontWeight: 600,
        fill: 'var(--ink)',
      }),
    ];
  });
  return drawFigure(
    `Usable rate and Rate of 3 or better for each model: ${rows.map((row) => `${armLabel(row.arm)} ${percent(row.usable)} and ${percent(row.rate)}`).join('; ')}`,
    {
      height: 44 + rows.length * 44,
      marginLeft: 150,
      marginRight: 74,
      x: { domain: [0, 1], tickFormat: (d: number) => `${Math.round(d * 100)}%`, ticks: 5, grid: true, label: null },
      y: { domain: rows.map((row) => armLabel(row.arm)), label: null, tickSize: 0 },
      marks,
    },
  );
}

/** Training loss by step (thin: as it was, thick: running mean) and dev loss (dots). */
export function lossFigure(student: StudentFacts): Markup {
  const raw = condense(student.losses, MAX_POINTS);
  const smooth = runningMean(raw, Math.max(1, Math.round(raw.length / 20)));
  const last = student.devLosses.at(-1);
  return drawFigure(`Loss of student ${student.name} by training step`, {
    height: 250,
    marginLeft: 44,
    marginRight: 20,
    x: { label: 'step', tickSize: 0, ticks: 6 },
    y: { label: 'loss (nats a token)', grid: true, tickSize: 0, ticks: 5 },
    marks: [
      Plot.lineY(raw, { x: 'step', y: 'loss', stroke: 'var(--quiet)', strokeWidth: 1, strokeOpacity: 0.55 }),
      Plot.lineY(smooth, { x: 'step', y: 'loss', stroke: 'var(--arm-student)', strokeWidth: 2 }),
      Plot.lineY(student.devLosses, { x: 'step', y: 'loss', stroke: 'var(--arm-teacher)', strokeDasharray: '3,3' }),
      Plot.dot(student.devLosses, { x: 'step', y: 'loss', r: 3.5, fill: 'var(--arm-teacher)' }),
      ...(last
        ? [
            Plot.text([last], {
              x: 'step',
              y: 'loss',
              text: (d) => d.loss.toFixed(3),
              dy: -12,
              textAnchor: 'end',
              fill: 'var(--ink)',
            }),
          ]
        : []),
    ],
  });
}

/** Share of an arm's outputs at each score. All arms have the same scale, so that they can be compared. */
export function scoreFigure(histogram: ScoreHistogram): Markup {
  const levels = ['1', '2', '3', '4', '5', 'none'] as const;
  const bars = levels
    .map((level) => ({
      level: level === 'none' ? 'none' : level,
      share: histogram.counts[level] / histogram.total,
      count: histogram.counts[level],
    }))
    .filter((bar) => bar.level !== 'none' || bar.count > 0);
  return drawFigure(
    `Scores of ${armLabel(histogram.arm)}: ${bars.map((bar) => `${bar.level}: ${bar.count}`).join(', ')}`,
    {
      width: 260,
      height: 170,
      marginLeft: 34,
      marginTop: 22,
      x: { domain: bars.map((bar) => bar.level), label: null, tickSize: 0 },
      y: {
        domain: [0, 1],
        tickFormat: (d: number) => `${Math.round(d * 100)}%`,
        ticks: 3,
        grid: true,
        label: null,
        tickSize: 0,
      },
      marks: [
        Plot.barY(bars, {
          x: 'level',
          y: 'share',
          fill: armColour(histogram.arm),
          rx: 2,
          fillOpacity: (d) => (Number(d.level) >= 3 ? 1 : 0.45),
        }),
        Plot.text(bars, {
          x: 'level',
          y: 'share',
          text: (d) => (d.count ? String(d.count) : ''),
          dy: -7,
          fill: 'var(--ink)',
        }),
      ],
    },
  );
}

/** Samples left after each step of a stage. */
export function funnelFigure(funnel: StageFunnel): Markup {
  const labels = funnel.steps.map((step) => step.label);
  return drawFigure(
    `Samples of stage ${funnel.stage}: ${funnel.steps.map((step) => `${step.count} ${step.label}`).join(', ')}`,
    {
      height: 16 + funnel.steps.length * 32,
      marginLeft: 140,
      marginRight: 56,
      marginTop: 4,
      marginBottom: 4,
      x: { axis: null, domain: [0, Math.max(1, ...funnel.steps.map((step) => step.count))] },
      y: { domain: labels, label: null, tickSize: 0, padding: 0.3 },
      marks: [
        Plot.barX(funnel.steps, { y: 'label', x: 'count', fill: 'var(--accent)', rx: 2 }),
        Plot.text(funnel.steps, {
          y: 'label',
          x: 'count',
          text: (d) => d.count.toLocaleString('en'),
          dx: 6,
          textAnchor: 'start',
          fill: 'var(--ink)',
        }),
      ],
    },
  );
}

/** At most `limit` points: means over equal groups of neighbours. */
export function condense(points: StudentFacts['losses'], limit: number): StudentFacts['losses'] {
  const size = Math.ceil(points.length / limit);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const group = points.slice(i * size, (i + 1) * size);
    return { step: group.at(-1)!.step, loss: mean(group) };
  });
}

/** Each point's mean with its neighbours up to `reach` on both sides. */
export function runningMean(points: StudentFacts['losses'], reach: number): StudentFacts['losses'] {
  return points.map(({ step }, i) => ({ step, loss: mean(points.slice(Math.max(0, i - reach), i + reach + 1)) }));
}

function mean(points: StudentFacts['losses']): number {
  return points.reduce((sum, point) => sum + point.loss, 0) / points.length;
}
