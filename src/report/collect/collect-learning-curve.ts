/** learning-curve/curve.json -> LearningCurve. */

import { join } from 'node:path';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson, textAt } from '../read-artifact.ts';
import type { Interval, LearningCurve } from '../run-data.ts';

/** The points of `mga learning-curve`; undefined where the run has none. */
export function collectLearningCurve(folder: RunFolder, note: Note): LearningCurve | undefined {
  const value = readJson(join(folder.root, 'learning-curve', 'curve.json'), note);
  if (!isObject(value)) return undefined;
  const points = objects(value.points).flatMap((point) => {
    const [stage, samples] = [textAt(point, 'stage'), numberAt(point, 'samples')];
    if (stage === undefined || samples === undefined || samples <= 0) return [];
    return [
      {
        stage,
        samples,
        rate: numberAt(point, 'rate'),
        rateInterval: pair(point.rate_ci),
        usable: numberAt(point, 'usable'),
        usableInterval: pair(point.usable_ci),
        devLoss: numberAt(point, 'dev_loss'),
      },
    ];
  });
  const references = objects(value.references).flatMap((reference) => {
    const [stage, arm] = [textAt(reference, 'stage'), textAt(reference, 'arm')];
    if (stage === undefined || arm === undefined) return [];
    return [{ stage, arm, rate: numberAt(reference, 'rate'), usable: numberAt(reference, 'usable') }];
  });
  return points.length > 0 ? { points, references } : undefined;
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function pair(value: unknown): Interval | undefined {
  const [low, high] = Array.isArray(value) ? (value as unknown[]) : [];
  return Number.isFinite(low) && Number.isFinite(high) ? [low as number, high as number] : undefined;
}
