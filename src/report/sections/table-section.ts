/** Table 1 of each stage, under a heading that says who judged and how far that judge can be trusted. */

import { armClass, armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval, points, pointsInterval, quantity } from '../number-format.ts';
import type { ReportData, StageTable, TableRow } from '../run-data.ts';
import { deployedRow } from '../verdict.ts';
import { abstentionBlock } from './abstention-block.ts';
import { judgeDetails, judgeLines } from './judge-block.ts';
import { measuresBlock, reliabilityBlock } from './reliability-block.ts';
import { scaleTable } from './scale-table.ts';
import { scrollTable } from './scroll-table.ts';

interface Column {
  head: string | Markup;
  /** Undefined where the row has nothing to show; a column without any value is left out. */
  cell(row: TableRow): Cell | undefined;
  strong?: boolean;
}

interface Cell {
  main: string;
  below?: string | undefined;
}

const RATE = 'Rate(≥3)';
/** What the rate is called where nothing is scored. */
const SHARES: Readonly<Record<string, string>> = { validity: 'Valid', labels: 'Equal to the teacher' };
const LEVELS = ['5', '4', '3', '2', '1'] as const;

/** The paper's table, with intervals and the test. */
const SCORE_COLUMNS: readonly Column[] = [
  { head: 'Total', cell: (row) => ({ main: quantity(row.total) }) },
  ...LEVELS.map(
    (level): Column => ({
      head: html`<span class="hidden-text">Score </span>${level}`,
      cell: (row) => (row.counts ? { main: quantity(row.counts[level] ?? 0) } : undefined),
    }),
  ),
  { head: 'Unscored', cell: (row) => given(row.unscored, quantity) },
  { head: RATE, cell: (row) => given(row.rate, percent, percentInterval(row.rateInterval)) },
  { head: 'Diff, points', cell: (row) => given(row.diff, points, pointsInterval(row.diffInterval)) },
  { head: 'p (Holm)', cell: (row) => given(row.pAdjusted ?? row.pValue, pValue) },
  { head: 'Verdict on the rate', cell: (row) => (row.verdict ? { main: row.verdict, below: needed(row) } : undefined) },
];

/** What can be used: the scores alone would reward an echo of the source. */
const USE_COLUMNS: readonly Column[] = [
  { head: 'Copied', cell: (row) => given(row.copied, percent) },
  { head: 'Complete', cell: (row) => given(row.complete, percent) },
  { head: 'Usable', strong: true, cell: (row) => given(row.usable, percent, percentInterval(row.usableInterval)) },
  { head: 'Usable diff, points', cell: (row) => given(row.usableDiff, points, pointsInterval(row.usableDiffInterval)) },
  { head: 'Gain over base, points', cell: (row) => given(row.gain, points, pointsInterval(row.gainInterval)) },
];

/** All tables, or a sentence where there are none. */
export function tableSection(data: ReportData): Markup {
  return html`<section id="table" aria-labelledby="table-title">
  <h2 id="table-title">Table 1: teacher against student</h2>
  <p class="soft">Same inputs, same judge, blind. Unscored and failed outputs stay in the total. Small figures are 95% intervals over documents.</p>
  ${data.tables.length > 0 ? data.tables.map(stageTable) : html`<p>No table yet: run <code>mga validate</code>.</p>`}
</section>`;
}

function stageTable(table: StageTable): Markup {
  return html`<div class="panel">
  <h3>${stageLabel(table.stage)}</h3>
  ${judgeLines(table.judge)}
  ${columnGroups(table).map((columns) => dataTable(table, columns))}
  ${scaleTable(table)}
  ${abstentionBlock(table)}
  ${reliabilityBlock(table)}
  ${judgeDetails(table)}
  ${measuresBlock(table)}
  ${furtherFigures(table)}
</div>`;
}

function dataTable(table: StageTable, columns: readonly Column[]): Markup {
  const deployed = deployedRow(table);
  return scrollTable(
    `${stageLabel(table.stage)}, from ${columns[0]?.head === 'Total' ? 'total to verdict' : 'copied to usable'}`,
    html`<table>
    <thead><tr><th scope="col">Model</th>${columns.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${table.rows.map(
      (row) => html`<tr class="${row === deployed && 'deployed'}">
      <th scope="row"><span class="key ${armClass(row.arm)}"></span>${armLabel(row.arm)}${row.model && html`<small>${row.model}</small>`}</th>
      ${columns.map((column) => cellMarkup(column, row))}</tr>`,
    )}</tbody></table>`,
  );
}

/** More columns than this do not fit beside each other on a laptop: they become two tables. */
const MOST_COLUMNS = 9;

/** The columns that have values, as one table or two. Where outputs are only valid or not, the rate is named for that. */
function columnGroups(table: StageTable): (readonly Column[])[] {
  const groups = [SCORE_COLUMNS, USE_COLUMNS].map((columns) =>
    columns
      .filter((column) => table.rows.some((row) => column.cell(row) !== undefined))
      .map((column) => (column.head === RATE ? { ...column, head: SHARES[table.judge.kind] ?? RATE } : column)),
  );
  const together = groups.flat();
  return together.length <= MOST_COLUMNS ? [together] : groups.filter((columns) => columns.length > 0);
}

function cellMarkup(column: Column, row: TableRow): Markup {
  const cell = column.cell(row);
  return html`<td class="${column.strong && 'strong'}">${cell?.main ?? ABSENT}${cell?.below && html`<small>${cell.below}</small>`}</td>`;
}

/** Fields of the table that this page has no column for. */
function furtherFigures(table: StageTable): Markup | false {
  const lines = [
    ...Object.entries(table.judge.further).map(([name, value]) => ['Judge', name, value] as const),
    ...table.rows.flatMap((row) =>
      Object.entries(row.further).map(([name, value]) => [armLabel(row.arm), name, value] as const),
    ),
  ];
  if (lines.length === 0) return false;
  return html`<details><summary>Further figures</summary>${scrollTable(
    'Further figures',
    html`<table>
    <thead><tr><th scope="col">Of</th><th scope="col" class="text">Figure</th><th scope="col">Value</th></tr></thead>
    <tbody>${lines.map(
      ([of, name, value]) =>
        html`<tr><th scope="row">${of}</th><td class="text">${name.replaceAll('_', ' ')}</td><td>${typeof value === 'number' ? quantity(value) : String(value)}</td></tr>`,
    )}</tbody></table>`,
  )}</details>`;
}

function given(value: number | undefined, format: (value: number) => string, below?: string): Cell | undefined {
  return value === undefined ? undefined : { main: format(value), below };
}

function pValue(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function needed(row: TableRow): string | undefined {
  return row.documentsNeeded === undefined ? undefined : `${quantity(row.documentsNeeded)} more documents needed`;
}
