/**
 * A run with every part that a report can tell of: rounds, prompt variants, learning curve, collapse analysis, abstention,
 * embeddings, and a teacher with a price. Scores, losses and vectors are drawn; what is made of them is made by the program.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readMaterial } from '../../../src/collect/collected.ts';
import { stageJobs } from '../../../src/collect/jobs.ts';
import { randomStream } from '../../../src/foundation/random.ts';
import type { RunFolder } from '../../../src/foundation/run-folder.ts';
import { type Recipe, recipeSchema } from '../../../src/recipe/schema.ts';
import type { RoundOutcome, RoundsSummary } from '../../../src/rounds/round-outcome.ts';
import { pairsStage } from '../../../src/stage/pairs.ts';
import { reformulateStage } from '../../../src/stage/reformulate.ts';
import type { GenreAudience } from '../../../src/stage/stage.ts';
import { abstentionCurve } from '../../../src/statistics/abstention-curve.ts';
import { COLLAPSE_DEFAULTS, collapseReport } from '../../../src/validate/collapse.ts';
import { embedTexts } from '../../../src/validate/embed-texts.ts';
import type { LearningCurve } from '../../../src/validate/learning-curve.ts';
import { reliabilityOf } from '../../../src/validate/reliability.ts';
import type { ScoredItem } from '../../../src/validate/scored-item.ts';
import { type StageTable, stageTable } from '../../../src/validate/table.ts';
import { makeRun } from './make-run.ts';

const SEED = 7;
/** Fewer than a run would take: the tests draw pictures, and decide nothing by them. */
const RESAMPLES = 300;
const OPTIONS = { margin: 3, resamples: RESAMPLES, seed: SEED };

/** Writes the run under `root`, and gives the recipe and folder that `writeReport` takes. */
export async function makeFullRun(root: string): Promise<{ recipe: Recipe; folder: RunFolder }> {
  const { recipe: plain, folder } = makeRun(root);
  const recipe = recipeSchema.parse({
    name: plain.name,
    description: 'Every part that a report can have, from drawn scores and losses.',
    seed: plain.seed,
    corpus: { path: plain.corpus.path },
    teacher: { kind: 'openai', model: 'labeler-70b', price: { inputPerMillion: 0.6, outputPerMillion: 2.4 } },
    plan: { machineUsdPerHour: 0.12 },
    rounds: { count: 3, documents: 50 },
    train: { model: 'tiny-random' },
    students: plain.students,
  });
  writeLines(join(folder.ledger, '000001.jsonl'), await ledger(recipe, folder));
  const tables = JSON.parse(readFileSync(folder.table1, 'utf8')) as StageTable[];
  writeJson(folder.table1, [variantsTable(), ...tables.slice(1), labelTable()]);
  writeJson(folder.rounds, rounds());
  writeJson(join(folder.root, 'collapse.json'), collapse());
  writeJson(join(folder.root, 'learning-curve', 'curve.json'), learningCurve());
  writeJson(join(folder.validation, 'embeddings.json'), await embeddings());
  // Students answered pairs, too: break-even needs every stage's time.
  const generations = join(folder.validation, 'generations.jsonl');
  const pairs = { arm: 'student-w8a8', model: 'w8a8', stage: 'pairs', doc_id: 'alder-01', item: 'alder-01' };
  const line = { ...pairs, text: '{"pairs": []}', complete: true, tokens: 280, seconds: 1.4 };
  writeFileSync(generations, `${readFileSync(generations, 'utf8')}${JSON.stringify(line)}\n`);
  return { recipe, folder };
}

/** The recording's answers, as a priced server would have given them to this recipe's requests. */
async function ledger(recipe: Recipe, folder: RunFolder): Promise<object[]> {
  const sources = await readMaterial(recipe, { ...folder, currentRound: recipe.rounds.count });
  const recorded = recordedLines('pairs.jsonl') as unknown as { doc_id: string; pairs: GenreAudience[] }[];
  const pairs = new Map(recorded.map((row) => [row.doc_id, row.pairs]));
  const random = randomStream(SEED, 'ledger');
  const lines: object[] = [];
  for (const stage of [pairsStage, reformulateStage] as const) {
    for (const { request, promptVersion } of stageJobs(stage, { ...sources, pairs })) {
      const { key, docId, item, messages, params } = request;
      const own = pairs.get(docId);
      if (own === undefined) continue;
      const text = stage === pairsStage ? pairsStage.completion(own) : 'A text.';
      const usage = {
        promptTokens: Math.round(messages.reduce((sum, { content }) => sum + content.length, 0) / 4),
        completionTokens: 200 + random.integer(200),
      };
      const usd = (usage.promptTokens * 0.6 + usage.completionTokens * 2.4) / 1e6;
      const head = { type: 'response', key, stage: stage.name, docId, item, model: 'labeler-70b', promptVersion };
      const latencyMs = 900 + random.integer(900);
      lines.push({ ...head, messages, params, text, finishReason: 'stop', usage, usd, latencyMs, at: AT });
    }
  }
  return lines;
}

const AT = '2026-01-02T03:04:05.000Z';

const documents = Array.from({ length: 40 }, (_, i) => `doc-${i}`);

/** Table 1 and 2 of a stage with a student of each prompt variant. */
function variantsTable(): StageTable {
  const random = randomStream(SEED, 'variants');
  const items: ScoredItem[] = [];
  for (const [arm, lift] of Object.entries({ teacher: 4.6, base: 2.6, 'student-w8a8': 4, 'slm-strict': 4.3, 'slm-relaxed': 3.5 })) {
    for (const doc_id of documents) {
      const ofDocument = 0.5 * random.normal();
      for (const item of ['1', '2']) {
        const score = Math.max(1, Math.min(5, Math.round(lift + ofDocument + 0.6 * random.normal())));
        const complete = random.uniform() < 0.95;
        const flags = { copied: false, complete, usable: score >= 3 && complete, words: 120 + random.integer(80) };
        const second = Math.max(1, Math.min(5, score + random.integer(2) - (random.uniform() < 0.4 ? 1 : 0)));
        items.push({ arm, model: arm, stage: 'reformulate', doc_id, item: `${doc_id}/${item}`, score, second, ...flags });
      }
    }
  }
  const judge = { kind: 'teacher' as const, description: 'judge-70b, 2 judgements a text.' };
  const table = stageTable('reformulate', items, { ...OPTIONS, judge });
  // People rated some outputs, and were sterner.
  const people = new Map(
    items
      .filter(({ arm, doc_id }) => arm !== 'base' && documents.indexOf(doc_id) < 15)
      .map((item) => [item, random.uniform() < 0.7 ? item.score! : Math.max(1, item.score! - 1)]),
  );
  const human = (item: ScoredItem) => people.get(item);
  const second = (item: ScoredItem) => item.second;
  return { ...table, reliability: reliabilityOf({ table, items, options: { ...OPTIONS, judge }, human, second }) };
}

/** A stage of labels, where the student may leave to the teacher what it is not sure of. */
function labelTable(): StageTable {
  const random = randomStream(SEED, 'labels');
  const answers = (skill: number) =>
    documents.map((docId) => {
      const confidence = 0.4 + 0.6 * random.uniform();
      return { docId, confidence, right: random.uniform() < skill * confidence + 0.1 };
    });
  const items: ScoredItem[] = [];
  const curves = new Map<string, ReturnType<typeof abstentionCurve>>();
  for (const [arm, skill] of Object.entries({ teacher: 1, base: 0.4, student: 0.85, 'student-w8a8': 0.8 })) {
    const own = answers(skill);
    if (arm !== 'teacher') curves.set(arm, abstentionCurve(own));
    for (const { docId, right } of own) {
      const usable = arm === 'teacher' || right;
      items.push({ arm, model: arm, stage: 'page-labels', doc_id: docId, item: docId, score: null, usable });
    }
  }
  const judge = { kind: 'labels' as const, description: 'Labels equal to those of the teacher.' };
  const options = { ...OPTIONS, judge, scored: false, passes: ({ usable }: ScoredItem) => usable === true };
  const table = stageTable('page-labels', items, options);
  const rows = table.rows.map((row) => {
    const curve = curves.get(row.arm);
    return curve === undefined ? row : { ...row, abstention: { topic: curve, language: curve } };
  });
  return { ...table, rows };
}

function rounds(): RoundsSummary {
  const outcome = (round: number, usable: number, gain: number | null): RoundOutcome => {
    const kept = { pairs: 48, reformulate: 212 };
    const counts = (times: number) => ({
      pairs: { collected: 50 * times, parsed: 50 * times, kept: kept.pairs * times, dropped: {}, train: 46 * times, dev: 2 },
      reformulate: {
        ...{ collected: 250 * times, parsed: 248 * times, kept: kept.reformulate * times },
        ...{ dropped: { copied: 20 * times, 'score below 4': 16 * times }, train: 200 * times, dev: 12 },
      },
    });
    return {
      round,
      documents: { added: 50, failed: round === 1 ? 0 : 25, so_far: 50 * round },
      added: counts(1),
      stages: counts(round),
      dev: {
        ...{ documents: 20, judge: 'local' as const, usable, teacher: 0.97 },
        stages: [
          { stage: 'pairs', outputs: 20, student: usable + 0.1, teacher: 1, student_rate: null, teacher_rate: null },
          { stage: 'reformulate', outputs: 40, student: usable - 0.05, teacher: 0.96, student_rate: usable, teacher_rate: 1 },
        ],
      },
      gain,
      gain_ci: gain === null ? null : [gain - 0.09, gain + 0.1],
      rejudged: [
        {
          ...{ by: 'judge-70b', texts: 50, documents: 31, unscored: 1, mean: 4.8, mean_again: 4.5 },
          ...{ rate: 1, rate_again: 0.96, rate_ci: [-0.1, 0] as [number, number], lost: 0.1 },
        },
      ],
      usd: 0.4 * round,
    };
  };
  return {
    count: 3,
    rounds: [outcome(1, 0.31, null), outcome(2, 0.52, 0.21), outcome(3, 0.55, 0.03)],
    chosen: 3,
    stopped: 'count',
    warnings: ['The judge that steers the rounds also makes the table: what it overrates is overrated there, too.'],
    sentences: [],
  };
}

/** Losses of real texts before and after a training on synthetic ones, which went wrong somewhere in most texts. */
function collapse() {
  const random = randomStream(SEED, 'collapse');
  const losses = Array.from({ length: 40 }, (_, i) => {
    const real = Array.from({ length: 200 }, () => Math.max(0.01, 3 + random.normal()));
    const from = random.uniform() < 0.7 ? 60 + random.integer(120) : 200;
    const inBurst = (j: number) => j >= from && j < from + 14;
    const synthetic = real.map((loss, j) => loss + 0.1 * random.normal() + (inBurst(j) ? 1.5 : 0));
    return { id: `text-${i}`, real, synthetic };
  });
  const options = { ...COLLAPSE_DEFAULTS, resamples: RESAMPLES };
  return collapseReport(losses, { real: 'smollm2-135m-instruct', synthetic: 'students/writer' }, options);
}

function learningCurve(): LearningCurve {
  const at = (stage: string, samples: number, rate: number, usable: number) => ({
    ...{ stage, student: 'writer', samples, rate, rate_ci: [rate - 0.08, Math.min(1, rate + 0.06)] as [number, number] },
    ...(stage === 'pairs' ? {} : { usable, usable_ci: [usable - 0.09, usable + 0.09] as [number, number] }),
    dev_loss: 3.1 - 0.9 * usable,
  });
  const sizes = [50, 100, 200, 400, 982];
  return {
    points: [
      ...sizes.map((samples, i) => at('pairs', Math.round(samples / 5), 0.5 + 0.09 * i, 0.3 + 0.1 * i)),
      ...sizes.map((samples, i) => at('reformulate', samples, 0.52 + 0.08 * i, 0.3 + 0.11 * i)),
    ],
    references: [
      { stage: 'pairs', arm: 'teacher', rate: 1 },
      { stage: 'pairs', arm: 'base', rate: 0.1 },
      { stage: 'reformulate', arm: 'teacher', rate: 1, usable: 0.97 },
      { stage: 'reformulate', arm: 'base', rate: 0.4, usable: 0.12 },
    ],
    judges: [{ stage: 'reformulate', kind: 'local' }],
  };
}

/** Vectors of length 1 around a direction of the document and one of the kind. */
async function embeddings() {
  const random = randomStream(SEED, 'vectors');
  const size = 16;
  const draw = (scale: number) => Array.from({ length: size }, () => scale * random.normal());
  const kinds = ['source', 'teacher', 'student-w8a8', 'strict', 'relaxed'];
  const shift = new Map(kinds.map((kind) => [kind, draw(0.5)]));
  const texts = documents.flatMap((doc_id) => kinds.map((kind) => ({ kind, item: doc_id, doc_id, text: `${kind} ${doc_id}` })));
  const centres = new Map(documents.map((doc_id) => [doc_id, draw(1)]));
  const embedder = {
    ...{ name: 'all-minilm-l6-v2', source: 'drawn', sha256: '0' },
    embed: async (among: readonly string[]) =>
      among.map((text) => {
        const [kind, doc_id] = text.split(' ') as [string, string];
        const raw = draw(0.25).map((noise, j) => noise + centres.get(doc_id)![j]! + shift.get(kind)![j]!);
        const norm = Math.hypot(...raw);
        return Float32Array.from(raw, (value) => value / norm);
      }),
  };
  return embedTexts(texts, embedder, { seed: SEED, resamples: RESAMPLES });
}

function recordedLines(name: string): Record<string, unknown>[] {
  const path = new URL(`../../../data/recorded/${name}`, import.meta.url).pathname;
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value));
}

function writeLines(path: string, rows: readonly object[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
