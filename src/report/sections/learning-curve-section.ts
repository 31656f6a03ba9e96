/** What more training samples would bring: rates of students trained on parts of them. */

import { stageLabel } from '../arms.ts';
import { learningCurveFigure } from '../learning-curve-figure.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval, quantity } from '../number-format.ts';
import type { LearningCurve, ReportData } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** A figure and a table a stage; nothing where the run has no learning curve. */
export function learningCurveSection({ learningCurve: curve }: ReportData): Markup | false {
  if (curve === undefined) return false;
  const stages = [...new Set(curve.points.map(({ stage }) => stage))];
  return html`<section id="learning-curve" aria-labelledby="learning-curve-title">
  <h2 id="learning-curve-title">Rates by training samples</h2>
  <p class="soft">Each point is a student of its own, trained on so many samples; smaller sets are parts of larger ones. Same inputs, same judge. Dots: usable rate. Rings: Rate(≥3), or valid answers. Lines: 95% intervals over documents.</p>
  <div class="grid">${stages.map(
    (stage) =>
      html`<div class="panel"><h3>${stageLabel(stage)}</h3><figure>${learningCurveFigure(curve, stage)}</figure>${curveTable(curve, stage)}</div>`,
  )}</div>
</section>`;
}

function curveTable({ points }: LearningCurve, stage: string): Markup {
  const cell = (share: number | undefined, interval: LearningCurve['points'][number]['rateInterval']) =>
    html`<td>${percent(share)}${interval && html`<small>${percentInterval(interval)}</small>`}</td>`;
  return scrollTable(
    `Rates by training samples, ${stageLabel(stage)}`,
    html`<table>
    <thead><tr><th scope="col">Samples</th><th scope="col">Rate</th><th scope="col">Usable</th><th scope="col">Dev loss</th></tr></thead>
    <tbody>${points
      .filter((point) => point.stage === stage)
      .map(
        ({ samples, rate, rateInterval, usable, usableInterval, devLoss }) =>
          html`<tr><th scope="row">${quantity(samples)}</th>${cell(rate, rateInterval)}${cell(usable, usableInterval)}<td>${devLoss?.toFixed(3) ?? ABSENT}</td></tr>`,
      )}</tbody></table>`,
  );
}
