/** validation/table1.json -> StageTable[]. Fields that are absent stay undefined; fields without a name here are kept aside. */

import type { RunFolder } from '../../foundation/run-folder.ts';
import { orderArms } from '../arms.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson, textAt } from '../read-artifact.ts';
import type { AbstentionCurves, Interval, JudgeFacts, StageTable, TableRow } from '../run-data.ts';

/** The fields that have a place of their own in the page. */
const ROW_FIELDS: ReadonlySet<string> = new Set(
  (
    'model arm total counts unscored rate rate_ci diff diff_ci p_value p_adjusted verdict documents_needed copied ' +
    'complete usable usable_ci usable_diff usable_diff_ci'
  ).split(' '),
);
const JUDGE_FIELDS: ReadonlySet<string> = new Set(['kind', 'description', 'kappa']);

/** Table 1 of every stage in the run, or an empty list with a note. */
export function collectTables(folder: RunFolder, note: Note): StageTable[] {
  const value = readJson(folder.table1, note);
  if (value === undefined) {
    note('There is no Table 1: the students have not been validated.');
    return [];
  }
  if (!Array.isArray(value)) {
    note('table1.json is not a list of stages and was left out.');
    return [];
  }
  return value.filter(isObject).map(readStage);
}

function readStage(object: JsonObject): StageTable {
  const judge = isObject(object.judge) ? object.judge : {};
  const read = objectsAt(object, 'rows').map(readRow);
  // A validity check gives no scores: five columns of zeros, and all outputs unscored, would say something else.
  const rows =
    judge.kind === 'validity' ? read.map((row) => ({ ...row, counts: undefined, unscored: undefined })) : read;
  const order = orderArms(rows.map((row) => row.arm));
  rows.sort((a, b) => order.indexOf(a.arm) - order.indexOf(b.arm));
  const reliability = isObject(object.reliability) ? object.reliability : {};
  const warnings = textsAt(reliability, 'warnings');
  const findings = textsAt(reliability, 'sentences').filter((line) => !line.startsWith('Careful: '));
  const byArm = new Map(
    objectsAt(object, 'rows').map((row) => [armKey(row), isObject(row.measures) ? row.measures : {}]),
  );
  const measured = rows.map((row) => byArm.get(armKey({ arm: row.arm, model: row.model })) ?? {});
  const names = [...new Set(measured.flatMap((measures) => Object.keys(measures)))];
  const measures = names.map((name) => ({
    name: name.replaceAll('_', ' '),
    means: measured.map((one) => meanAt(one, name)),
  }));
  return {
    stage: textAt(object, 'stage') ?? 'stage',
    judge: readJudge(judge, reliability),
    rows,
    warnings,
    findings,
    confusions: readConfusions(reliability),
    measures,
    abstention: readAbstention(object, order),
  };
}

/** Pairs of raters in the reliability block, with the words for people. */
const RATERS: readonly (readonly [field: string, first: string, second: string])[] = [
  ['repeats', 'judged', 'judged again'],
  ['second', 'this judge', 'second judge'],
  ['raters', 'one person', 'another'],
];

function readConfusions(reliability: JsonObject): StageTable['confusions'] {
  return RATERS.flatMap(([field, first, second]) => {
    const part = reliability[field];
    const matrix = isObject(part) ? matrixAt(part, 'confusion') : undefined;
    return matrix === undefined ? [] : [{ first, second, matrix }];
  });
}

/** Curves by field, arms in reading order; points that lack a number are left out. */
function readAbstention(object: JsonObject, order: readonly string[]): AbstentionCurves[] {
  const arms = objectsAt(object, 'rows')
    .map((row) => ({ arm: textAt(row, 'arm') ?? 'unknown', byField: isObject(row.abstention) ? row.abstention : {} }))
    .sort((a, b) => order.indexOf(a.arm) - order.indexOf(b.arm));
  const fields = [...new Set(arms.flatMap(({ byField }) => Object.keys(byField)))];
  return fields.map((field) => ({
    field,
    curves: arms.flatMap(({ arm, byField }) => {
      const points = objectsAt(byField, field).flatMap((point) => {
        const [threshold, answered, accuracy] = ['threshold', 'answered', 'accuracy'].map((name) =>
          numberAt(point, name),
        );
        if (threshold === undefined || answered === undefined || accuracy === undefined) return [];
        return [{ threshold, answered, accuracy, interval: intervalAt(point, 'accuracy_ci') }];
      });
      return points.length > 0 ? [{ arm, points }] : [];
    }),
  }));
}

const armKey = ({ arm, model }: JsonObject) => `${arm}\u0000${model ?? ''}`;

function meanAt(measures: JsonObject, name: string): StageTable['measures'][number]['means'][number] {
  const measure = measures[name];
  const mean = isObject(measure) ? numberAt(measure, 'mean') : undefined;
  return mean === undefined ? undefined : { mean, interval: intervalAt(measure as JsonObject, 'ci') };
}

function textsAt(object: JsonObject, name: string): string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function readJudge(object: JsonObject, { cascade }: JsonObject): JudgeFacts {
  return {
    kind: textAt(object, 'kind') ?? 'unknown',
    description: textAt(object, 'description'),
    kappa: numberAt(object, 'kappa'),
    kappaInterval: intervalAt(object, 'kappa_ci'),
    byKind: objectsAt(object, 'by_kind').map((part) => ({
      kind: textAt(part, 'kind') ?? 'other',
      texts: numberAt(part, 'texts') ?? 0,
      kappa: numberAt(part, 'kappa'),
      kappaInterval: intervalAt(part, 'kappa_ci'),
      rateError: numberAt(part, 'rate_error'),
    })),
    confusion: matrixAt(object, 'confusion'),
    cascade: isObject(cascade)
      ? {
          asked: numberAt(cascade, 'asked') ?? 0,
          texts: numberAt(cascade, 'texts') ?? 0,
          usd: numberAt(cascade, 'usd'),
          usdSaved: numberAt(cascade, 'usd_saved'),
        }
      : undefined,
    further: scalars(object, JUDGE_FIELDS),
  };
}

function readRow(object: JsonObject): TableRow {
  const gain = isObject(object.gain_over_base) ? object.gain_over_base : {};
  return {
    model: textAt(object, 'model') ?? '',
    arm: textAt(object, 'arm') ?? 'unknown',
    total: numberAt(object, 'total') ?? 0,
    counts: isObject(object.counts) ? numbers(object.counts) : undefined,
    unscored: numberAt(object, 'unscored'),
    scale: isObject(object.table2) ? scaleOf(object.table2) : undefined,
    rate: numberAt(object, 'rate'),
    rateInterval: intervalAt(object, 'rate_ci'),
    diff: numberAt(object, 'diff'),
    diffInterval: intervalAt(object, 'diff_ci'),
    pValue: numberAt(object, 'p_value'),
    pAdjusted: numberAt(object, 'p_adjusted'),
    verdict: textAt(object, 'verdict'),
    documentsNeeded: numberAt(object, 'documents_needed'),
    copied: numberAt(object, 'copied'),
    complete: numberAt(object, 'complete'),
    usable: numberAt(object, 'usable'),
    usableInterval: intervalAt(object, 'usable_ci'),
    usableDiff: numberAt(object, 'usable_diff'),
    usableDiffInterval: intervalAt(object, 'usable_diff_ci'),
    gain: numberAt(gain, 'usable_diff'),
    gainInterval: intervalAt(gain, 'usable_diff_ci'),
    further: scalars(object, ROW_FIELDS),
  };
}

function scaleOf(object: JsonObject): TableRow['scale'] {
  const share = (name: string) => {
    const value = object[name];
    const rate = isObject(value) ? numberAt(value, 'rate') : undefined;
    return rate === undefined ? undefined : { rate, interval: intervalAt(value as JsonObject, 'ci') };
  };
  return { atMost2: share('at_most_2'), atLeast4: share('at_least_4'), exactly5: share('exactly_5') };
}

function intervalAt(object: JsonObject, name: string): Interval | undefined {
  const value = object[name];
  if (!Array.isArray(value)) return undefined;
  const [low, high] = value as unknown[];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
}

function objectsAt(object: JsonObject, name: string): JsonObject[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function matrixAt(object: JsonObject, name: string): number[][] | undefined {
  const value = object[name];
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const whole = value.every((row) => Array.isArray(row) && row.every((cell) => typeof cell === 'number'));
  return whole ? (value as number[][]) : undefined;
}

function numbers(object: JsonObject): Record<string, number> {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** The scalar fields of `object` that are not in `known`: later versions only add fields, and a reader should see them. */
function scalars(object: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([name, value]) => !known.has(name) && value !== null && ['number', 'string', 'boolean'].includes(typeof value),
    ),
  );
}
