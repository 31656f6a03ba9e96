/** A collapse analysis as text for a terminal of 80 columns. */

import type { CollapseReport, MeanOverTexts } from './collapse.ts';
import { renderGrid } from './render.ts';

/** Rows of the table of positions: two parts of the report each. */
const ROWS = 10;

export function renderCollapse(report: CollapseReport): string {
  const { real, synthetic, loss, lossdiff, first_anomaly_position: first, k, window } = report;
  const share = Math.round(window.share * 100);
  const models = renderGrid(
    {
      header: ['Collapse analysis', 'loss', '95% over texts'],
      rows: [
        [`real: ${real}`, ...cells(loss.real, false)],
        [`synthetic: ${synthetic}`, ...cells(loss.synthetic, false)],
        ['lossdiff (synthetic - real)', ...cells(lossdiff, true)],
      ],
    },
    'text',
  );
  return [
    models,
    `${report.texts.toLocaleString('en')} texts, ${report.tokens.toLocaleString('en')} tokens; nats a token.
lossdiff has standard deviation ${lossdiff.std.toFixed(3)}; ${percent(lossdiff.above_zero)} of the tokens are above zero.`,
    `First anomaly: where the mean of a ${window.direction} window (${share}% of the text) first
exceeds |mean| + ${k} x std of the text's lossdiff, as a share of its length.
${first.texts} of ${report.texts} texts have one: ${percent(first.share)} [${first.share_ci.map(percent).join(', ')}]${first.median === null ? '' : `, at ${first.median.toFixed(2)} in the median`}.`,
    positions(report),
  ]
    .join('\n\n')
    .concat('\n');
}

function positions({ first_anomaly_position: { histogram }, series }: CollapseReport): string {
  const width = histogram.length / ROWS;
  const rows = Array.from({ length: ROWS }, (_, row) => {
    const [from, to] = [row / ROWS, (row + 1) / ROWS];
    // Parts that follow each other have as many tokens, so that the mean of their means is that of their tokens.
    const parts = series.filter((part) => part.from >= from - 1e-9 && part.from < to - 1e-9);
    const mean = (of: (part: CollapseReport['series'][number]) => number) =>
      parts.length === 0 ? '' : (parts.reduce((sum, part) => sum + of(part), 0) / parts.length).toFixed(3);
    const first = histogram.slice(row * width, (row + 1) * width).reduce((sum, count) => sum + count, 0);
    return [
      `${from.toFixed(1)} to ${to.toFixed(1)}`,
      String(first),
      mean((part) => part.lossdiff.mean),
      mean((part) => part.real),
      mean((part) => part.synthetic),
    ];
  });
  return renderGrid({ header: ['Part of the text', 'first anomalies', 'lossdiff', 'real', 'synthetic'], rows }, 'text');
}

function cells({ mean, ci }: MeanOverTexts, signed: boolean): string[] {
  const number = (value: number) => `${signed && value > 0 ? '+' : ''}${value.toFixed(3)}`;
  return [number(mean), ci === null ? '' : ci.map(number).join('..')];
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
