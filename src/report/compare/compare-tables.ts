/** The tables of two runs: differences on common inputs first, then each run on inputs of its own. */

import { armClass, armLabel, orderArms, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval, points, pointsInterval, quantity } from '../number-format.ts';
import type { ReportData, StageTable, TableRow } from '../run-data.ts';
import { SCALE_COLUMNS } from '../sections/scale-table.ts';
import { scrollTable } from '../sections/scroll-table.ts';
import type { Both, ComparisonData, PairedArm } from './comparison-data.ts';

/** Paired by input: only this tells a difference from another draw of documents. */
export function pairedSection({ paired, unpaired, otherJudges, names }: ComparisonData): Markup {
  const stages = [...new Set(paired.map(({ stage }) => stage))];
  return html`<section id="paired" aria-labelledby="paired-title">
  <h2 id="paired-title">On the inputs both runs answered</h2>
  <p class="soft">Differences are ${names[1]} minus ${names[0]}, paired by input; small figures are 95% intervals over documents.</p>
  ${otherJudges.map(
    (stage) =>
      html`<p class="warning">The judges of ${stageLabel(stage)} differ between the runs: their scores do not compare.</p>`,
  )}
  ${unpaired && html`<p class="warning">${unpaired}</p>`}
  ${stages.map((stage) =>
    pairedTable(
      stage,
      paired.filter((arm) => arm.stage === stage),
      names,
    ),
  )}
</section>`;
}

function pairedTable(stage: string, arms: readonly PairedArm[], names: Both<string>): Markup {
  const rate = arms.every(({ scored }) => scored) ? 'Rate(≥3)' : 'Valid';
  const order = orderArms(arms.map(({ arm }) => arm));
  const rows = [...arms].sort((a, b) => order.indexOf(a.arm) - order.indexOf(b.arm));
  return html`<div class="panel"><h3>${stageLabel(stage)}</h3>${scrollTable(
    `${stageLabel(stage)}, common inputs`,
    html`<table><thead><tr><th scope="col">Model</th><th scope="col">Inputs</th><th scope="col">Documents</th>
    ${names.map((name) => html`<th scope="col">${rate}<small>${name}</small></th>`)}<th scope="col">Diff, points</th><th scope="col">p</th>
    ${names.map((name) => html`<th scope="col">Usable<small>${name}</small></th>`)}<th scope="col">Usable diff, points</th></tr></thead>
    <tbody>${rows.map(
      (arm) => html`<tr>${armHead(arm.arm)}<td>${quantity(arm.inputs)}</td><td>${quantity(arm.documents)}</td>
      ${arm.rate.map((share) => html`<td>${percent(share)}</td>`)}<td class="strong">${points(arm.diff)}<small>${pointsInterval(arm.diffInterval)}</small></td>
      <td>${arm.pValue < 0.001 ? '< 0.001' : arm.pValue.toFixed(3)}</td>
      ${[0, 1].map((i) => html`<td>${percent(arm.usable?.[i])}</td>`)}<td class="strong">${points(arm.usableDiff)}<small>${pointsInterval(arm.usableDiffInterval)}</small></td></tr>`,
    )}</tbody></table>`,
  )}</div>`;
}

/** All arms of both runs side by side, on whatever inputs each run had. */
export function tablesSection({ runs, names }: ComparisonData): Markup {
  const stages = [...new Set(runs.flatMap(({ tables }) => tables.map(({ stage }) => stage)))];
  return html`<section id="tables" aria-labelledby="tables-title">
  <h2 id="tables-title">Tables of each run</h2>
  <p class="soft">Each run on all of its own inputs. Where these differ, so do the rates, whatever the students can do.</p>
  ${stages.length === 0 && html`<p>Neither run is validated.</p>`}
  ${stages.map((stage) => besideTable(stage, runs, names))}
</section>`;
}

function besideTable(stage: string, runs: Both<ReportData>, names: Both<string>): Markup {
  const tables = runs.map(({ tables: all }) => all.find((table) => table.stage === stage));
  const rows = tables.flatMap((table) => table?.rows ?? []);
  const table = (caption: string, heads: readonly string[], among: readonly TableRow[], cells: readonly CellOf[]) =>
    scrollTable(
      `${caption} of ${stageLabel(stage)}, both runs`,
      html`<table><caption>${caption}</caption>
    <thead><tr><th scope="col">Model</th>${heads.map((head) => names.map((name) => html`<th scope="col">${head}<small>${name}</small></th>`))}</tr></thead>
    <tbody>${orderArms(among.map(({ arm }) => arm)).map(
      (arm) =>
        html`<tr>${armHead(arm)}${cells.map((cell) => tables.map((one) => cellMarkup(cell, rowOf(one, arm))))}</tr>`,
    )}</tbody></table>`,
    );
  const scaled = rows.filter(({ scale }) => scale !== undefined);
  return html`<div class="panel"><h3>${stageLabel(stage)}</h3>
  ${table('Table 1', ['Total', 'Rate', 'Usable', 'Verdict'], rows, TABLE_1)}
  ${
    scaled.length > 0 &&
    table(
      'Table 2: shares of Total at the ends of the scale',
      SCALE_COLUMNS.map(({ head }) => head),
      scaled,
      TABLE_2,
    )
  }</div>`;
}

type CellOf = (row: TableRow) => { main: string; below?: string | undefined };

const TABLE_1: readonly CellOf[] = [
  ({ total }) => ({ main: quantity(total) }),
  ({ rate, rateInterval }) => ({ main: percent(rate), below: percentInterval(rateInterval) }),
  ({ usable, usableInterval }) => ({ main: percent(usable), below: percentInterval(usableInterval) }),
  ({ verdict }) => ({ main: verdict ?? ABSENT }),
];

const TABLE_2: readonly CellOf[] = SCALE_COLUMNS.map(({ of }) => ({ scale }) => ({
  main: percent(scale?.[of]?.rate),
  below: percentInterval(scale?.[of]?.interval),
}));

function cellMarkup(cell: CellOf, row: TableRow | undefined): Markup {
  const { main, below } = row === undefined ? { main: ABSENT } : cell(row);
  return html`<td>${main}${below && html`<small>${below}</small>`}</td>`;
}

const rowOf = (table: StageTable | undefined, arm: string) => table?.rows.find((row) => row.arm === arm);

const armHead = (arm: string) => html`<th scope="row"><span class="key ${armClass(arm)}"></span>${armLabel(arm)}</th>`;
