/** collapse.json in the run's folder -> Collapse. */

import { join } from 'node:path';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson, textAt } from '../read-artifact.ts';
import type { Collapse, Interval } from '../run-data.ts';

/** The analysis that `mga collapse --out` left; undefined where there is none. */
export function collectCollapse(folder: RunFolder, note: Note): Collapse | undefined {
  const value = readJson(join(folder.root, 'collapse.json'), note);
  if (!isObject(value)) return undefined;
  const part = (name: string): JsonObject => (isObject(value[name]) ? value[name] : {});
  const [window, loss, lossdiff, first] = [
    part('window'),
    part('loss'),
    part('lossdiff'),
    part('first_anomaly_position'),
  ];
  const series = objects(value.series).flatMap((one) => {
    const [from, to, mean] = [numberAt(one, 'from'), numberAt(one, 'to'), meanOf(one.lossdiff)];
    return from === undefined || to === undefined || mean === undefined ? [] : [{ from, to, ...mean }];
  });
  const histogram = Array.isArray(first.histogram) ? first.histogram.filter((count) => typeof count === 'number') : [];
  if (series.length === 0 || histogram.length === 0) {
    note('collapse.json holds no collapse analysis and was left out.');
    return undefined;
  }
  return {
    real: textAt(value, 'real') ?? 'an unknown model',
    synthetic: textAt(value, 'synthetic') ?? 'an unknown model',
    texts: numberAt(value, 'texts') ?? 0,
    tokens: numberAt(value, 'tokens') ?? 0,
    k: numberAt(value, 'k'),
    window: { share: numberAt(window, 'share'), direction: textAt(window, 'direction') },
    loss: { real: meanOf(loss.real), synthetic: meanOf(loss.synthetic) },
    lossdiff: meanOf(lossdiff),
    std: numberAt(lossdiff, 'std'),
    aboveZero: numberAt(lossdiff, 'above_zero'),
    anomalies: {
      texts: numberAt(first, 'texts') ?? 0,
      share: numberAt(first, 'share'),
      interval: pair(first.share_ci),
      median: numberAt(first, 'median'),
      histogram,
    },
    series,
  };
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function meanOf(value: unknown): { mean: number; interval: Interval | undefined } | undefined {
  const mean = isObject(value) ? numberAt(value, 'mean') : undefined;
  return mean === undefined ? undefined : { mean, interval: pair((value as JsonObject).ci) };
}

function pair(value: unknown): Interval | undefined {
  const [low, high] = Array.isArray(value) ? (value as unknown[]) : [];
  return Number.isFinite(low) && Number.isFinite(high) ? [low as number, high as number] : undefined;
}
