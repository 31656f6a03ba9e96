/**
 * How well the local judge does on documents it has not seen: five folds by document over all recorded judgements, and the splits of data/mga.
 *
 *   npx tsx eval/statistics/judge-agreement.ts      writes eval/statistics/judge-agreement.json, under a minute
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { agreement, type ScoredPair } from '../../src/judge/agreement.ts';
import { fitLocalJudge, type JudgeSample, localScores } from '../../src/judge/local-judge.ts';
import type { SourceDocument } from '../../src/stage/stage.ts';

const FOLDS = 5;
const OPTIONS = { seed: 1, resamples: 2000 };

interface Text {
  id: string;
  doc_id: string;
  kind?: string;
  model?: string;
  text: string;
}
interface Rating {
  text_id: string;
  doc_id: string;
  repeat: number;
  score: number;
}

const lines = <T>(name: string) =>
  readFileSync(new URL(`../../data/recorded/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const documents = new Map(lines<SourceDocument>('documents').map((document) => [document.id, document]));
const texts = new Map([...lines<Text>('texts'), ...lines<Text>('students')].map((text) => [text.id, text]));
const samples = [...lines<Rating>('judgements'), ...lines<Rating>('student-judgements')]
  .filter((rating) => rating.repeat === 1)
  .map(({ text_id, doc_id, score }): JudgeSample => {
    const text = texts.get(text_id)!;
    const kind = doc_id === text.doc_id ? (text.kind ?? 'student') : 'mismatch';
    const { model } = text;
    return {
      document: documents.get(doc_id)!,
      text: text.text,
      score,
      kind,
      ...(model === undefined ? {} : { model }),
    };
  });

function scored(
  train: readonly JudgeSample[],
  test: readonly JudgeSample[],
): (ScoredPair & { model: string | undefined })[] {
  const levels = localScores(fitLocalJudge(train, { seed: OPTIONS.seed }), test);
  return test.map(({ document, kind, score, model }, i) => ({
    docId: document.id,
    kind,
    model,
    reference: score,
    score: levels[i]!.level,
  }));
}

function report(pairs: ReturnType<typeof scored>) {
  const models = [...new Set(pairs.flatMap(({ model }) => model ?? []))];
  const rate_error_by_model = Object.fromEntries(
    models.map((model) => {
      const own = pairs.filter((pair) => pair.model === model);
      const passed = (level: (pair: ScoredPair) => number) => own.filter((pair) => level(pair) >= 3).length;
      return [model, (passed((pair) => pair.score) - passed((pair) => pair.reference)) / own.length];
    }),
  );
  return { ...agreement(pairs, OPTIONS), rate_error_by_model };
}

const fold = new Map([...documents.keys()].map((id, i) => [id, i % FOLDS]));
const inFold = (sample: JudgeSample, i: number) => fold.get(sample.document.id) === i;
const crossValidated = Array.from({ length: FOLDS }, (_, i) =>
  scored(
    samples.filter((sample) => !inFold(sample, i)),
    samples.filter((sample) => inFold(sample, i)),
  ),
).flat();

const splits = JSON.parse(readFileSync(new URL('../../data/mga/splits.json', import.meta.url), 'utf8'));
const train = new Set<string>(splits.train);
const heldOut = scored(
  samples.filter((sample) => train.has(sample.document.id)),
  samples.filter((sample) => splits.validation.includes(sample.document.id)),
);

const result = { cross_validated: report(crossValidated), mga_validation: report(heldOut) };
writeFileSync(new URL('judge-agreement.json', import.meta.url), `${JSON.stringify(result, null, 1)}\n`);
for (const [name, { kappa, kappa_ci, kappa_texts, by_kind, rate_error_by_model }] of Object.entries(result)) {
  console.log(`${name}: student-made and flawed, ${kappa_texts} texts: kappa ${kappa} [${kappa_ci}]`);
  console.table(by_kind);
  console.log(rate_error_by_model);
}
