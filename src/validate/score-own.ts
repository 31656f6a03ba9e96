/** Answers to a stage of the recipe's own, held against the teacher's: valid or not, equal or not, field by field. */

import { canonicalJson } from '../foundation/hash.ts';
import { randomStream } from '../foundation/random.ts';
import type { JudgeReport } from '../judge/judge.ts';
import type { LabelValue } from '../recipe/label-fields.ts';
import type { AnyStage, StageLabels } from '../stage/stage.ts';
import { type AbstentionPoint, abstentionCurve } from '../statistics/abstention-curve.ts';
import { macroF1 } from '../statistics/macro-f1.ts';
import type { GenerationLine } from './generations.ts';
import type { MeasureMean } from './measure-means.ts';
import type { ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable, type TableOptions } from './table.ts';

type Labels = Readonly<Record<string, LabelValue>>;

/** The stage's table; a label stage's rows also measure each field. */
export function ownTable(
  stage: AnyStage,
  lines: readonly GenerationLine[],
  teacher: ReadonlyMap<string, unknown>,
  options: Pick<TableOptions, 'margin' | 'resamples' | 'seed'>,
): { table: StageTable; items: ScoredItem[] } {
  const items = lines.map((line) => scoreOwn(stage, line, teacher.get(line.doc_id)));
  const judge: JudgeReport = {
    kind: stage.labels ? 'labels' : 'validity',
    description: stage.labels
      ? "No judge: an answer counts where every field is the teacher's. The teacher's own row is therefore full."
      : 'No judge: an answer counts where it has the form the recipe asks for. A rubric scores it where validate.judge.kind is teacher.',
  };
  const passes = (item: ScoredItem) => item.usable === true;
  const table = stageTable(stage.name, items, { ...options, judge, passes, scored: false });
  const { labels } = stage;
  if (labels === undefined) return { table, items };
  for (const row of table.rows) {
    const own = lines.filter(({ arm, model }) => arm === row.arm && model === row.model);
    const scores = labels.metrics.includes('f1') ? fieldScores(stage, labels, own, teacher, options) : {};
    row.measures = { ...row.measures, ...scores };
    // The teacher's answers, and a server's, come without probabilities.
    if (own.some(({ confidence }) => confidence)) row.abstention = fieldCurves(stage, labels, own, teacher);
  }
  return { table, items };
}

function scoreOwn(stage: AnyStage, line: GenerationLine, expected: unknown): ScoredItem {
  const { arm, model, doc_id, item, complete, confidence } = line;
  const parsed = stage.parse(line.text);
  const equal = parsed.ok && canonicalJson(parsed.value) === canonicalJson(expected);
  const usable = parsed.ok && (stage.labels === undefined || equal);
  const measures = {
    valid: Number(parsed.ok),
    ...(stage.labels
      ? fieldMeasures(stage.labels, parsed.ok ? (parsed.value as Labels) : {}, expected as Labels, confidence)
      : {}),
  };
  const row = { arm, model, stage: stage.name, doc_id, item, score: null, measures, copied: false, complete, usable };
  if (usable) return row;
  return { ...row, reason: parsed.ok ? "another answer than the teacher's" : parsed.reason };
}

/**
 * By field: `<field>_accuracy` (an answer without the field is wrong), `<field>_distance` of numbers, `<field>_confidence`;
 * with a threshold `<field>_answered` (as sure as that) and `<field>_accuracy_if_answered`.
 */
function fieldMeasures(
  { fields, metrics, abstainBelow }: StageLabels,
  given: Partial<Labels>,
  expected: Labels,
  confidence: Readonly<Record<string, number>> | undefined,
): Record<string, number> {
  return Object.fromEntries(
    fields.flatMap(({ name, ordered }) => {
      const [value, wanted] = [given[name], expected[name]];
      const right = Number(value === wanted);
      const measures: [string, number][] = [];
      if (metrics.includes('accuracy')) measures.push([`${name}_accuracy`, right]);
      if (metrics.includes('distance') && ordered && value !== undefined)
        measures.push([`${name}_distance`, Math.abs(Number(value) - Number(wanted))]);
      if (confidence === undefined) return measures;
      const sure = sureness(value, confidence[name]);
      measures.push([`${name}_confidence`, sure]);
      if (abstainBelow === undefined) return measures;
      const answered = sure >= abstainBelow;
      measures.push([`${name}_answered`, Number(answered)]);
      if (answered) measures.push([`${name}_accuracy_if_answered`, right]);
      return measures;
    }),
  );
}

/** Accuracy and coverage of each field at every threshold; an answer that cannot be read is none to rely on. */
function fieldCurves(
  stage: AnyStage,
  { fields }: StageLabels,
  lines: readonly GenerationLine[],
  teacher: ReadonlyMap<string, unknown>,
): Record<string, AbstentionPoint[]> {
  const answers = lines.map(({ text, doc_id, confidence = {} }) => {
    const parsed = stage.parse(text);
    return { docId: doc_id, given: parsed.ok ? (parsed.value as Labels) : {}, confidence };
  });
  return Object.fromEntries(
    fields.map(({ name }) => [
      name,
      abstentionCurve(
        answers.map(({ docId, given, confidence }) => ({
          docId,
          confidence: sureness(given[name], confidence[name]),
          right: given[name] === (teacher.get(docId) as Labels)[name],
        })),
      ),
    ]),
  );
}

/** An answer that cannot be read, or of which nothing is known, is no answer to rely on. */
function sureness(value: LabelValue | undefined, confidence: number | undefined): number {
  return value === undefined ? 0 : (confidence ?? 0);
}

/** `<field>_f1`: macro-F1 against the teacher's labels, with its interval over documents. */
function fieldScores(
  stage: AnyStage,
  { fields }: StageLabels,
  lines: readonly GenerationLine[],
  teacher: ReadonlyMap<string, unknown>,
  { seed, resamples }: Pick<TableOptions, 'resamples' | 'seed'>,
): Record<string, MeasureMean> {
  const answers = lines.map(({ text, doc_id }) => {
    const parsed = stage.parse(text);
    return { given: parsed.ok ? (parsed.value as Labels) : undefined, expected: teacher.get(doc_id) as Labels };
  });
  return Object.fromEntries(
    fields.map(({ name, values }) => {
      const place = (labels: Labels | undefined) => values.indexOf(labels?.[name] as LabelValue);
      const pairs = answers.map(({ given, expected }) => ({ given: place(given), expected: place(expected) }));
      const options = { random: randomStream(seed, 'macro-f1', stage.name, name), resamples };
      const { estimate, interval } = macroF1(pairs, values.length, options);
      return [`${name}_f1`, { mean: estimate, ci: interval, outputs: pairs.length }];
    }),
  );
}
