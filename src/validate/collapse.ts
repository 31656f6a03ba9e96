/** Collapse analysis: two checkpoints on the same texts, token by token (src/statistics/collapse.ts has the definitions). */

import { InterruptedError, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { clusterBootstrap } from '../statistics/cluster-bootstrap.ts';
import {
  ANOMALY_DEFAULTS,
  firstAnomalyPosition,
  lossDifferences,
  meanAndStd,
  positionHistogram,
  sumsByPosition,
  WINDOW_SHARE,
  type WindowDirection,
} from '../statistics/collapse.ts';
import { clusteredRate, type Interval } from '../statistics/wilson.ts';
import { checkpointLosses } from './checkpoint-losses.ts';

export interface CollapseText {
  id: string;
  text: string;
}

/** The losses of one text under both checkpoints, nats. */
export interface PairedLosses {
  id: string;
  real: readonly number[];
  synthetic: readonly number[];
}

export interface CollapseOptions {
  k: number;
  window: WindowDirection;
  /** Longer texts are cut there. */
  maxTokens: number;
  resamples: number;
  seed: number;
  threads?: number;
}

export const COLLAPSE_DEFAULTS: CollapseOptions = { ...ANOMALY_DEFAULTS, maxTokens: 1024, resamples: 2000, seed: 0 };

/** A mean with its 95% interval over texts; one text alone has none. */
export interface MeanOverTexts {
  mean: number;
  ci: Interval | null;
}

/** collapse.json. Losses in nats; positions are shares of a text's length. */
export interface CollapseReport {
  real: string;
  synthetic: string;
  texts: number;
  tokens: number;
  k: number;
  window: { share: number; direction: WindowDirection };
  loss: { real: MeanOverTexts; synthetic: MeanOverTexts };
  /** Over all tokens; `above_zero` is the share of tokens the synthetic-trained checkpoint predicts worse. */
  lossdiff: MeanOverTexts & { std: number; above_zero: number };
  first_anomaly_position: {
    /** Texts that have one. */
    texts: number;
    share: number;
    share_ci: Interval;
    /** Of these texts; null where there are none. */
    median: number | null;
    /** Texts by the part of the length their first anomaly stands in. */
    histogram: number[];
    none: number;
  };
  /** By equal parts of a text's length. */
  series: { from: number; to: number; lossdiff: MeanOverTexts; real: number; synthetic: number }[];
  by_text: {
    id: string;
    tokens: number;
    real: number;
    synthetic: number;
    lossdiff: number;
    lossdiff_std: number;
    first_anomaly_position: number;
  }[];
}

/** Parts of a text in histogram and series: each about one window wide. */
export const POSITION_PARTS = 20;

/**
 * Runs both checkpoints over the texts, one after the other, and sums up how their losses differ. Texts of one token say nothing
 * and are left out.
 *
 * @throws UserError where a checkpoint is not there, or the checkpoints cut texts into different tokens
 * @throws InterruptedError
 */
export async function analyseCollapse(
  real: string,
  synthetic: string,
  texts: readonly CollapseText[],
  options: CollapseOptions,
  context: RunContext,
): Promise<{ report: CollapseReport; losses: PairedLosses[] }> {
  const started = performance.now();
  const detail = `${synthetic} against ${real}: ${texts.length} texts`;
  context.emit({ type: 'command-start', command: 'validate', detail });
  const bodies = texts.map(({ text }) => text);
  const first = await checkpointLosses(real, bodies, options, context);
  if (context.signal.aborted) throw new InterruptedError();
  const second = await checkpointLosses(synthetic, bodies, options, context);
  const other = first.tokens.findIndex((tokens, i) => tokens.join() !== second.tokens[i]!.join());
  if (other >= 0) {
    throw new UserError(
      `Cannot compare ${synthetic} with ${real}: they cut text ${texts[other]!.id} into different tokens`,
      'Compare checkpoints that share a tokenizer',
    );
  }
  const losses = texts
    .map(({ id }, i) => ({ id, real: first.losses[i]!, synthetic: second.losses[i]! }))
    .filter(({ real: own }) => own.length > 0);
  if (losses.length === 0) throw new UserError('Cannot compare losses: no text has two tokens or more');
  const report = collapseReport(losses, { real, synthetic }, options);
  const summary = `first anomalies in ${report.first_anomaly_position.texts} of ${report.texts} texts`;
  const seconds = (performance.now() - started) / 1000;
  context.emit({ type: 'command-end', command: 'validate', seconds, summary });
  return { report, losses };
}

/** The losses summed up. Texts, not tokens, are the unit of every interval. */
export function collapseReport(
  losses: readonly PairedLosses[],
  names: { real: string; synthetic: string },
  { k, window, seed, resamples }: Pick<CollapseOptions, 'k' | 'window' | 'seed' | 'resamples'>,
): CollapseReport {
  const differences = losses.map((text) => lossDifferences(text.synthetic, text.real));
  const byText = losses.map(({ id, real, synthetic }, i) => {
    const { mean, std } = meanAndStd(differences[i]!);
    return {
      id,
      tokens: real.length,
      real: meanAndStd(real).mean,
      synthetic: meanAndStd(synthetic).mean,
      lossdiff: mean,
      lossdiff_std: std,
      first_anomaly_position: firstAnomalyPosition(differences[i]!, { k, window }),
    };
  });
  const all = differences.flatMap((values) => [...values]);
  const positions = byText.map((text) => text.first_anomaly_position);
  const { counts, none } = positionHistogram(positions, POSITION_PARTS);
  const anomalies = clusteredRate(positions.map((position) => ({ successes: Number(position >= 0), total: 1 })));
  const meansOf = (name: string, values: (index: number) => ArrayLike<number>) =>
    partMeans(
      name,
      losses.map((_, i) => values(i)),
      { seed, resamples },
    );
  const [diff, real, synthetic] = [
    meansOf('lossdiff', (i) => differences[i]!),
    meansOf('real', (i) => losses[i]!.real),
    meansOf('synthetic', (i) => losses[i]!.synthetic),
  ];
  return {
    ...names,
    texts: losses.length,
    tokens: all.length,
    k,
    window: { share: WINDOW_SHARE, direction: window },
    loss: { real: real.whole, synthetic: synthetic.whole },
    lossdiff: {
      ...diff.whole,
      std: meanAndStd(all).std,
      above_zero: all.filter((value) => value > 0).length / all.length,
    },
    first_anomaly_position: {
      texts: losses.length - none,
      share: anomalies.rate,
      share_ci: anomalies.interval,
      median: median(positions.filter((position) => position >= 0)),
      histogram: counts,
      none,
    },
    // Texts shorter than POSITION_PARTS tokens leave parts empty; where all do, the part is left out.
    series: diff.parts.flatMap((lossdiff, part) =>
      lossdiff === undefined
        ? []
        : [
            {
              from: part / POSITION_PARTS,
              to: (part + 1) / POSITION_PARTS,
              lossdiff,
              real: real.parts[part]!.mean,
              synthetic: synthetic.parts[part]!.mean,
            },
          ],
    ),
    by_text: byText,
  };
}

/** Means over tokens, of all and by part, each with its interval over texts. */
function partMeans(
  name: string,
  sequences: readonly ArrayLike<number>[],
  options: { seed: number; resamples: number },
) {
  const byText = sequences.map((values) => sumsByPosition(values, POSITION_PARTS));
  const whole = byText.map((parts) =>
    parts.reduce((total, { sum, count }) => ({ sum: total.sum + sum, count: total.count + count })),
  );
  return {
    whole: meanOverTexts(name, whole, options)!,
    parts: Array.from({ length: POSITION_PARTS }, (_, part) =>
      meanOverTexts(
        `${name}/${part}`,
        byText.map((parts) => parts[part]!),
        options,
      ),
    ),
  };
}

/** Undefined where no text has a value. */
function meanOverTexts(
  name: string,
  texts: readonly { sum: number; count: number }[],
  { seed, resamples }: { seed: number; resamples: number },
): MeanOverTexts | undefined {
  const clusters = texts.filter(({ count }) => count > 0).map(({ sum, count }) => [sum, count]);
  if (clusters.length === 0) return undefined;
  const options = { random: randomStream(seed, 'collapse', name), resamples };
  const { estimate, interval } = clusterBootstrap(clusters, (sum) => sum[0]! / sum[1]!, options);
  return { mean: estimate, ci: clusters.length < 2 ? null : interval };
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
