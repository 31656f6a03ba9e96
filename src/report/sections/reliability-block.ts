/** What speaks for a table's scores and what against, and what was measured without a judge. */

import { armLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT } from '../number-format.ts';
import type { StageTable } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** Warnings stand open; the findings they rest on are folded away. */
export function reliabilityBlock({ warnings, findings }: StageTable): Markup | false {
  if (warnings.length + findings.length === 0) return false;
  return html`${warnings.length > 0 && html`<ul class="small" aria-label="Warnings">${warnings.map((line) => html`<li>${line}</li>`)}</ul>`}
  ${findings.length > 0 && html`<details><summary>What speaks for these scores, and what against</summary><ul class="small">${findings.map((line) => html`<li>${line}</li>`)}</ul></details>`}`;
}

/** A measure a row, an arm a column. */
export function measuresBlock({ measures, rows }: StageTable): Markup | false {
  if (measures.length === 0) return false;
  return html`<details><summary>Measured without a judge</summary>${scrollTable(
    'Measures by model',
    html`<table><caption>Means over outputs; small figures are 95% intervals over documents</caption>
    <thead><tr><th scope="col">Measure</th>${rows.map((row) => html`<th scope="col">${armLabel(row.arm)}</th>`)}</tr></thead>
    <tbody>${measures.map(
      ({ name, means }) =>
        html`<tr><th scope="row">${name}</th>${means.map(
          (value) =>
            html`<td>${value?.mean.toFixed(2) ?? ABSENT}${value?.interval && html`<small>${value.interval.map((bound) => bound.toFixed(2)).join(' to ')}</small>`}</td>`,
        )}</tr>`,
    )}</tbody></table>`,
  )}</details>`;
}
