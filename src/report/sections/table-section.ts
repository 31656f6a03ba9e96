/** Table 1 of each stage, under a heading that says who judged and how far that judge can be trusted. */

import { armClass, armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval, points, pointsInterval, quantity } from '../number-format.ts';
import type { Interval, JudgeFacts, ReportData, StageTable, TableRow } from '../run-data.ts';
import { deployedRow } from '../verdict.ts';

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

const LEVELS = ['5', '4', '3', '2', '1'] as const;

const COLUMNS: readonly Column[] = [
  { head: 'Total', cell: (row) => ({ main: quantity(row.total) }) },
  ...LEVELS.map(
    (level): Column => ({
      head: html`<span class="hidden-text">Score </span>${level}`,
      cell: (row) => (row.counts ? { main: quantity(row.counts[level] ?? 0) } : undefined),
    }),
  ),
  { head: 'Unscored', cell: (row) => given(row.unscored, quantity) },
  { head: 'Rate(≥3)', cell: (row) => given(row.rate, percent, percentInterval(row.rateInterval)) },
  { head: 'Diff, points', cell: (row) => given(row.diff, points, pointsInterval(row.diffInterval)) },
  { head: 'p (Holm)', cell: (row) => given(row.pAdjusted ?? row.pValue, pValue) },
  { head: 'Copied', cell: (row) => given(row.copied, percent) },
  { head: 'Complete', cell: (row) => given(row.complete, percent) },
  { head: 'Usable', strong: true, cell: (row) => given(row.usable, percent, percentInterval(row.usableInterval)) },
  { head: 'Usable diff, points', cell: (row) => given(row.usableDiff, points, pointsInterval(row.usableDiffInterval)) },
  { head: 'Gain over base, points', cell: (row) => given(row.gain, points, pointsInterval(row.gainInterval)) },
  { head: 'Verdict', cell: (row) => (row.verdict ? { main: row.verdict, below: needed(row) } : undefined) },
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
  const columns = COLUMNS.filter((column) => table.rows.some((row) => column.cell(row) !== undefined));
  const deployed = deployedRow(table);
  const title = `table-${table.stage}`;
  return html`<div class="panel">
  <h3 id="${title}">${stageLabel(table.stage)}</h3>
  ${judgeLines(table.judge)}
  <div class="scroll" tabindex="0" role="region" aria-labelledby="${title}"><table>
    <thead><tr><th scope="col">Model</th>${columns.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${table.rows.map(
      (row) => html`<tr class="${row === deployed && 'deployed'}">
      <th scope="row"><span class="key ${armClass(row.arm)}"></span>${armLabel(row.arm)}${row.model && html`<small>${row.model}</small>`}</th>
      ${columns.map((column) => cellMarkup(column, row))}</tr>`,
    )}</tbody>
  </table></div>
  ${judgeDetails(table.judge)}
  ${furtherFigures(table)}
</div>`;
}

function cellMarkup(column: Column, row: TableRow): Markup {
  const cell = column.cell(row);
  return html`<td class="${column.strong && 'strong'}">${cell?.main ?? ABSENT}${cell?.below && html`<small>${cell.below}</small>`}</td>`;
}

/** Bands of kappa in words (Landis and Koch 1977), so that a reader who does not know kappa is warned. */
function agreementWord(kappa: number): string {
  if (kappa >= 0.8) return 'almost perfect';
  if (kappa >= 0.6) return 'substantial';
  if (kappa >= 0.4) return 'moderate: read small differences with care';
  return 'weak: these scores are rough';
}

function judgeLines(judge: JudgeFacts): Markup {
  const kappa = judge.kappa;
  const interval = judge.kappaInterval && kappaInterval(judge.kappaInterval);
  return html`<p class="small">Judged by: <b>${JUDGE_NAMES[judge.kind] ?? judge.kind}</b>.${judge.description && ` ${judge.description}`}
  ${
    kappa !== undefined &&
    html` Agreement with the recorded judge on held-out student-made and flawed texts: quadratic-weighted κ <b class="number">${kappa.toFixed(2)}</b>${interval && ` (95% interval ${interval})`}, ${agreementWord(kappa)}.`
  }</p>`;
}

const JUDGE_NAMES: Readonly<Record<string, string>> = {
  local: 'local judge',
  teacher: 'the teacher LLM',
  validity: 'a validity check (five distinct pairs in valid JSON)',
};

/** How far the judge agrees with the reference judge, by kind of text and score by score. */
function judgeDetails(judge: JudgeFacts): Markup | false {
  if (judge.byKind.length === 0 && judge.confusion === undefined) return false;
  const levels = [1, 2, 3, 4, 5];
  return html`<details><summary>How far the judge can be trusted</summary><div class="grid">
  ${
    judge.byKind.length > 0 &&
    html`<table><caption>Agreement with the reference judge on held-out texts</caption>
    <thead><tr><th scope="col">Kind of text</th><th scope="col">Texts</th><th scope="col">κ</th><th scope="col">Error of Rate(≥3), points</th></tr></thead>
    <tbody>${judge.byKind.map(
      (part) => html`<tr><th scope="row">${part.kind}</th><td>${quantity(part.texts)}</td>
      <td>${part.kappa?.toFixed(2) ?? ABSENT}${part.kappaInterval && html`<small>${kappaInterval(part.kappaInterval)}</small>`}</td><td>${points(part.rateError)}</td></tr>`,
    )}</tbody></table>`
  }
  ${
    judge.confusion &&
    html`<table><caption>Rows: score of the reference judge; columns: score of this judge</caption>
    <thead><tr><th scope="col">Reference</th>${levels.map((level) => html`<th scope="col">${level}</th>`)}</tr></thead>
    <tbody>${judge.confusion.map((row, i) => html`<tr><th scope="row">${i + 1}</th>${row.map((count) => html`<td>${quantity(count)}</td>`)}</tr>`)}</tbody></table>`
  }</div></details>`;
}

function kappaInterval(interval: Interval): string {
  return interval.map((value) => value.toFixed(2)).join(' to ');
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
  return html`<details><summary>Further figures</summary><div class="scroll" tabindex="0" role="region" aria-label="Further figures"><table>
    <thead><tr><th scope="col">Of</th><th scope="col" class="text">Figure</th><th scope="col">Value</th></tr></thead>
    <tbody>${lines.map(
      ([of, name, value]) =>
        html`<tr><th scope="row">${of}</th><td class="text">${name.replaceAll('_', ' ')}</td><td>${typeof value === 'number' ? quantity(value) : String(value)}</td></tr>`,
    )}</tbody></table></div></details>`;
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
