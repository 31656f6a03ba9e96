/** Table 2 of a stage: how many outputs stand at either end of the scale, which tells prompt variants apart. */

import { armClass, armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval } from '../number-format.ts';
import type { StageTable, TableRow } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** Heads and fields of Table 2. */
export const SCALE_COLUMNS: readonly { head: string; of: keyof NonNullable<TableRow['scale']> }[] = [
  { head: 'Rate(≤2)', of: 'atMost2' },
  { head: 'Rate(≥4)', of: 'atLeast4' },
  { head: 'Rate(=5)', of: 'exactly5' },
];

/** The table, or nothing where no row has scores. */
export function scaleTable(table: StageTable): Markup | false {
  if (table.rows.every((row) => row.scale === undefined)) return false;
  return scrollTable(
    `Table 2, ${stageLabel(table.stage)}`,
    html`<table>
    <caption>Table 2: shares of Total at the ends of the scale</caption>
    <thead><tr><th scope="col">Model</th>${SCALE_COLUMNS.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${table.rows.map(
      ({ arm, model, scale }) => html`<tr>
      <th scope="row"><span class="key ${armClass(arm)}"></span>${armLabel(arm)}${model && html`<small>${model}</small>`}</th>
      ${SCALE_COLUMNS.map(({ of }) => {
        const share = scale?.[of];
        return html`<td>${share ? percent(share.rate) : ABSENT}${share?.interval && html`<small>${percentInterval(share.interval)}</small>`}</td>`;
      })}</tr>`,
    )}</tbody></table>`,
  );
}
