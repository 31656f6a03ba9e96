/** Table 1 and Table 2 as text: aligned for a terminal of 80 columns, or Markdown. */

import type { JudgeReport } from '../judge/judge.ts';
import type { Interval } from '../statistics/wilson.ts';
import { abstentionGrids } from './render-abstention.ts';
import { confusionGrids } from './render-confusion.ts';
import type { StageTable, TableRow } from './table.ts';

type Format = 'text' | 'markdown';

/** Header and rows of cells; the first column is text, the others are numbers. */
export interface Grid {
  header: string[];
  rows: string[][];
}

const WIDTH = 80;

/** All tables of a run, each under a heading that says who judged and how far that judge can be trusted. */
export function renderTables(tables: readonly StageTable[], format: Format): string {
  return tables.map((table) => renderTable(table, format)).join('\n');
}

function renderTable(table: StageTable, format: Format): string {
  const first = table.rows[0];
  const title = `Table 1, stage ${table.stage}: ${quantity(first?.total ?? 0, 'input')} of ${quantity(first?.documents ?? 0, 'document')}`;
  const mark = format === 'markdown' ? '## ' : '';
  const grids = [
    scoreGrid(table),
    comparisonGrid(table),
    usableGrid(table),
    scaleGrid(table),
    measureGrid(table),
    ...abstentionGrids(table),
    ...confusionGrids(table),
  ];
  return [
    `${mark}${title}`,
    wrap(judgeSentence(table.judge), format),
    ...(table.judge.by_kind ? [renderGrid(agreementGrid(table.judge), format)] : []),
    ...grids.filter((grid) => grid !== undefined).map((grid) => renderGrid(grid, format)),
    notes(table)
      .map((note) => wrap(format === 'markdown' ? `- ${note}` : note, format))
      .join('\n'),
  ]
    .join('\n\n')
    .concat('\n');
}

/** Who judged, and its agreement with the reference judge. */
export function judgeSentence(judge: JudgeReport): string {
  const sentence = `Judge: ${judge.kind}. ${judge.description}`;
  if (judge.kappa === undefined) return sentence;
  if (judge.kappa === null) return `${sentence} Its agreement could not be measured.`;
  const interval = judge.kappa_ci ? ` [${judge.kappa_ci.map((bound) => bound.toFixed(2)).join(', ')}]` : '';
  const basis =
    judge.kappa_texts === undefined ? '' : ` (${judge.kappa_texts} texts of ${judge.kappa_documents} documents)`;
  // Of a cascade's texts those that its cheap judge kept are scored like this.
  const whose = judge.cascade === undefined ? 'Agreement' : 'Agreement of its local part';
  return `${sentence} ${whose} with the reference judge on held-out student-made and flawed texts${basis}: quadratic-weighted kappa ${judge.kappa.toFixed(2)}${interval}.`;
}

function agreementGrid(judge: JudgeReport): Grid {
  return {
    header: ['Judge, by kind of text', 'texts', 'kappa', '95%', 'equal', 'Rate error'],
    rows: judge.by_kind!.map((kind) => [
      kind.kind === 'base' ? "teacher's own" : kind.kind,
      String(kind.texts),
      kind.kappa === null ? 'n/a' : kind.kappa.toFixed(2),
      kind.kappa_ci === null ? 'n/a' : kind.kappa_ci.map((bound) => bound.toFixed(2)).join('..'),
      percent(kind.exact, 1),
      points(kind.rate_error),
    ]),
  };
}

/** The paper's table. */
function scoreGrid(table: StageTable): Grid {
  const scored = table.rows.some((row) => row.counts !== undefined);
  const share = scored ? 'Rate(>=3)' : table.judge.kind === 'labels' ? 'Equal' : 'Valid';
  const counts = (row: TableRow) => [...[5, 4, 3, 2, 1].map((level) => count(row, level)), quantity(row.unscored ?? 0)];
  return {
    header: ['Models', 'Total', ...(scored ? ['5', '4', '3', '2', '1', 'none'] : []), share, 'Diff'],
    rows: table.rows.map((row) => [
      label(row, table),
      quantity(row.total),
      ...(scored ? counts(row) : []),
      percent(row.rate),
      row.diff === undefined ? '' : `${points(row.diff)}%`,
    ]),
  };
}

function comparisonGrid(table: StageTable): Grid {
  return {
    header: ['95% over documents', 'Rate', 'Diff', 'p', 'Holm', `within ${table.margin}?`],
    rows: table.rows.map((row) => [
      label(row, table),
      range(row.rate_ci, (share) => (share * 100).toFixed(1)),
      row.diff_ci ? range(row.diff_ci, points) : '',
      row.p_value === undefined ? '' : pValue(row.p_value),
      row.p_adjusted === undefined ? '' : pValue(row.p_adjusted),
      row.verdict === undefined ? '' : row.verdict,
    ]),
  };
}

/** Beside the rate, because copying scores 5. */
function usableGrid(table: StageTable): Grid | undefined {
  if (table.rows.every((row) => row.usable === undefined || row.counts === undefined)) return undefined;
  return {
    header: ['Usable rate', 'copied', 'complete', 'usable', '95%', 'over base', '95%'],
    rows: table.rows.map((row) => [
      label(row, table),
      ...[row.copied, row.complete, row.usable].map((share) => (share === undefined ? '' : percent(share, 1))),
      row.usable_ci ? range(row.usable_ci, (share) => (share * 100).toFixed(1)) : '',
      row.gain_over_base ? points(row.gain_over_base.usable_diff) : '',
      row.gain_over_base ? range(row.gain_over_base.usable_diff_ci, points) : '',
    ]),
  };
}

/** The paper's Table 2: both ends of the scale. */
function scaleGrid(table: StageTable): Grid | undefined {
  if (table.rows.every((row) => row.table2 === undefined)) return undefined;
  return {
    header: SCALE_HEADER,
    rows: table.rows.map((row) => [label(row, table), ...scaleCells(row)]),
  };
}

export const SCALE_HEADER = ['Table 2', 'Rate(<=2)', 'Rate(>=4)', 'Rate(=5)'];

/** The cells below these heads; blank where a row has no scores. */
export function scaleCells({ table2 }: Pick<TableRow, 'table2'>): string[] {
  if (table2 === undefined) return ['', '', ''];
  return [table2.at_most_2, table2.at_least_4, table2.exactly_5].map(({ rate }) => percent(rate));
}

/** What needs no judge: a measure a row, an arm a column. */
function measureGrid(table: StageTable): Grid | undefined {
  const names = [...new Set(table.rows.flatMap((row) => Object.keys(row.measures ?? {})))];
  if (names.length === 0) return undefined;
  return {
    header: ['Without a judge', ...table.rows.map((row) => label(row, table))],
    rows: names.map((name) => [
      name.replaceAll('_', ' '),
      ...table.rows.map((row) => {
        const measure = row.measures?.[name];
        return measure === undefined ? '' : measure.mean.toFixed(2);
      }),
    ]),
  };
}

function notes(table: StageTable): string[] {
  const compared = table.rows.filter((row) => row.verdict !== undefined);
  const models = table.rows.filter((row) => row.model !== row.arm).map((row) => `${row.arm} = ${row.model}`);
  return [
    ...(models.length > 0 ? [`${models.join('; ')}.`] : []),
    ...(table.rows.some((row) => row.unscored) ? ['Outputs without a score (none) stay in Total.'] : []),
    ...table.rows
      .filter((row) => row.missing)
      .map((row) => `${row.arm} lacks ${quantity(row.missing!, 'input')}, counted as none.`),
    ...table.rows
      .filter((row) => row.seed_rates !== undefined)
      .map(
        (row) =>
          `${row.arm} is ${row.seed_rates!.length} trainings: rates ${row.seed_rates!.map((rate) => percent(rate)).join(', ')}, standard deviation ${(row.seed_deviation! * 100).toFixed(2)} points.`,
      ),
    ...compared
      .filter((row) => row.mcnemar_p !== undefined)
      .map(
        (row) =>
          `${row.arm} against ${table.reference}: ${quantity(row.discordant!.gained, 'input')} gained, ${quantity(row.discordant!.lost)} lost; exact McNemar p ${pValue(row.mcnemar_p!)} (takes items of a document as independent).`,
      ),
    ...compared
      .filter((row) => row.documents_needed !== undefined)
      .map((row) => `${row.arm}: about ${quantity(row.documents_needed!, 'more document')} would decide.`),
    ...(compared.length > 0
      ? [`Pass: the one-sided 95% bound of Diff lies above -${table.margin} points. p: sign flips of whole documents.`]
      : []),
    ...(table.rows.some((row) => row.abstention)
      ? [
          'If sure of: share of answers at least as sure as that, and how many of them are right; table1.json has every threshold.',
        ]
      : []),
    ...(table.reliability ? table.reliability.sentences : []),
  ];
}

/** The arm; with its model where one arm has several. */
function label(row: TableRow, table: StageTable): string {
  return table.rows.filter((other) => other.arm === row.arm).length > 1 ? `${row.arm} ${row.model}` : row.arm;
}

/** Aligned for a terminal, or a Markdown table. */
export function renderGrid({ header, rows }: Grid, format: Format): string {
  const lines = [header, ...rows];
  // Markdown marks right alignment with a dash and a colon.
  const narrowest = format === 'markdown' ? 2 : 1;
  const widths = header.map((_, column) => Math.max(narrowest, ...lines.map((line) => line[column]!.length)));
  const align = (line: string[]) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)));
  if (format === 'text') return lines.map((line) => align(line).join('  ').trimEnd()).join('\n');
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [align(header), rule, ...rows.map(align)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function wrap(text: string, format: Format): string {
  if (format === 'markdown') return text;
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

const count = (row: TableRow, level: number) =>
  row.counts ? quantity(row.counts[String(level) as '1' | '2' | '3' | '4' | '5']) : '';

const percent = (share: number, digits = 2) => `${(share * 100).toFixed(digits)}%`;

/** Signed points: `-1.05`; never `-0.00`. */
function points(difference: number): string {
  const text = (difference * 100).toFixed(2);
  return Number(text) === 0 ? '0.00' : difference > 0 ? `+${text}` : text;
}

const range = ([low, high]: Interval, format: (bound: number) => string) => `${format(low)}..${format(high)}`;

const pValue = (p: number) => (p < 0.001 ? '<0.001' : p.toFixed(3));

function quantity(value: number, noun?: string): string {
  const number = value.toLocaleString('en');
  return noun === undefined ? number : `${number} ${noun}${value === 1 ? '' : 's'}`;
}
