import { expect, test } from 'vitest';
import { collapseReport, type PairedLosses } from './collapse.ts';
import { renderCollapse } from './render-collapse.ts';

const NAMES = { real: 'before', synthetic: 'after' };
const OPTIONS = { k: 2, window: 'trailing', seed: 1, resamples: 200 } as const;

/** 100 tokens at 3 nats under the first checkpoint; the second loses `by` more on 10 tokens from `from` on. */
function text(id: string, from: number, by = 2): PairedLosses {
  const real = new Array<number>(100).fill(3);
  return { id, real, synthetic: real.map((loss, i) => loss + (i >= from && i < from + 10 ? by : 0)) };
}

test('collapseReport() says how much worse, in which texts, and where in them', () => {
  const texts = [text('a', 20), text('b', 22), text('c', 70), text('d', 0, 0)];
  const report = collapseReport(texts, NAMES, OPTIONS);
  expect(report).toMatchObject({ real: 'before', synthetic: 'after', texts: 4, tokens: 400, k: 2 });
  expect(report.window).toEqual({ share: 0.05, direction: 'trailing' });
  expect(report.loss.real).toEqual({ mean: 3, ci: [3, 3] });
  expect(report.lossdiff.mean).toBeCloseTo(0.15, 12);
  expect(report.lossdiff.above_zero).toBeCloseTo(30 / 400, 12);
  const { first_anomaly_position: first, by_text, series } = report;
  expect(by_text.map(({ first_anomaly_position }) => first_anomaly_position)).toEqual([0.23, 0.25, 0.73, -1]);
  expect(first).toMatchObject({ texts: 3, none: 1, share: 0.75, median: 0.25 });
  expect(first.histogram.map((count, part) => [part, count]).filter(([, count]) => count! > 0)).toEqual([
    [4, 1],
    [5, 1],
    [14, 1],
  ]);
  // Tokens 20 to 24: five of a and three of b.
  expect(series[4]!.lossdiff.mean).toBeCloseTo((2 * 8) / 20, 12);
  expect(series[4]!.synthetic - series[4]!.real).toBeCloseTo(series[4]!.lossdiff.mean, 12);
  expect(series[10]).toMatchObject({ from: 0.5, to: 0.55, lossdiff: { mean: 0 }, real: 3, synthetic: 3 });
});

test('collapseReport() of one text has no intervals, and short texts leave parts out', () => {
  const { lossdiff, series } = collapseReport([{ id: 'a', real: [1, 2], synthetic: [2, 2] }], NAMES, OPTIONS);
  expect(lossdiff).toMatchObject({ mean: 0.5, ci: null });
  expect(series.map(({ from, real }) => [from, real])).toEqual([
    [0, 1],
    [0.5, 2],
  ]);
});

test('renderCollapse() prints k, the window and the table of positions at 80 columns', () => {
  const printed = renderCollapse(collapseReport([text('a', 20), text('b', 70)], NAMES, OPTIONS));
  expect(printed).toContain('a trailing window (5% of the text)');
  expect(printed).toContain('|mean| + 2 x std');
  expect(printed).toMatch(/2 of 2 texts have one: 100\.0% \[.*\], at 0\.48 in the median\./);
  expect(printed).toMatch(/0\.2 to 0\.3 +1 +1\.000 +3\.000 +4\.000/);
  expect(printed).toMatch(/lossdiff \(synthetic - real\) +\+0\.200/);
  for (const line of printed.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});
