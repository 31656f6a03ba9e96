/** The abstention curves of a label stage: a picture a field, and its thresholds as a table. */

import { abstentionFigure } from '../abstention-figure.ts';
import { armClass, armLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval } from '../number-format.ts';
import type { AbstentionCurves, StageTable } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** Thresholds of the table; table1.json has the others. */
const SHOWN = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

export function abstentionBlock({ abstention }: StageTable): Markup | false {
  const known = abstention.filter(({ curves }) => curves.length > 0);
  if (known.length === 0) return false;
  return html`<h4>Right where sure</h4>
  <p class="soft">How many answers are given, and how many of them are right, where those below a confidence are left to the teacher.</p>
  <div class="grid">${known.map(fieldCurves)}</div>`;
}

function fieldCurves(field: AbstentionCurves): Markup {
  const { curves } = field;
  const rows = SHOWN.filter((threshold) =>
    curves.some(({ points }) => points.some((one) => one.threshold === threshold)),
  );
  return html`<div><h5>${field.field}</h5>
  <figure>${abstentionFigure(field)}<figcaption>${curves.map(
    ({ arm }) => html`<span class="key ${armClass(arm)}"></span>${armLabel(arm)} `,
  )}</figcaption></figure>
  <details><summary>Thresholds of ${field.field}</summary>${scrollTable(
    `Thresholds of ${field.field}`,
    html`<table><caption>Answered, right of those; small figures are 95% intervals over documents</caption>
    <thead><tr><th scope="col">Sure of at least</th>${curves.map(({ arm }) => html`<th scope="col">${armLabel(arm)}</th>`)}</tr></thead>
    <tbody>${rows.map(
      (threshold) =>
        html`<tr><th scope="row">${threshold === 0 ? 'all' : threshold}</th>${curves.map(({ points }) => {
          const point = points.find((one) => one.threshold === threshold);
          return point === undefined
            ? html`<td>${ABSENT}</td>`
            : html`<td>${percent(point.answered)}, ${percent(point.accuracy)}<small>${percentInterval(point.interval)}</small></td>`;
        })}</tr>`,
    )}</tbody></table>`,
  )}</details></div>`;
}
