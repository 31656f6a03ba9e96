/** A run folder as the commands leave it, made from data/recorded: what the report's tests, the browser test and screenshots read. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomStream } from '../../../src/foundation/random.ts';
import { type RunFolder, runFolder } from '../../../src/foundation/run-folder.ts';
import { type Recipe, recipeSchema } from '../../../src/recipe/schema.ts';
import { pairsStage } from '../../../src/stage/pairs.ts';

const RECORDED = new URL('../../../data/recorded/', import.meta.url).pathname;

/** The recorded models that stand for the arms. */
const MODELS = { base: 'smollm2-135m-base-prompted', student: 'trl-lora-lr2e-4', 'student-w8a8': 'trl-lora-lr2e-3' };

type Row = Record<string, unknown>;
interface Text {
  id: string;
  doc_id: string;
  pair: number;
  kind: string;
  model: string;
  complete?: boolean;
  text: string;
}

export interface FixtureOptions {
  /** Items of the stage reformulate; beyond the 62 that students really wrote, their texts are teacher's words, shuffled. */
  items?: number;
  /** Put in place of the first student text and the first document's title, to see that nothing breaks the page. */
  hostile?: string;
}

/** Writes a whole run under `root` and gives the recipe and folder that `writeReport` takes. */
export function makeRun(
  root: string,
  { items = 62, hostile }: FixtureOptions = {},
): { recipe: Recipe; folder: RunFolder } {
  const folder = runFolder(root);
  const recipe = recipeSchema.parse({
    name: 'mga-fixture',
    description: 'Recorded texts of three small models, arranged as a run.',
    seed: 7,
    corpus: { path: join(root, 'documents.jsonl') },
    teacher: { kind: 'recorded', folder: 'data/recorded' },
    students: [
      { name: 'pairs', stages: ['pairs'] },
      { name: 'writer', stages: ['reformulate'] },
    ],
  });
  const documents = recorded('documents.jsonl').map((row, i) =>
    i === 0 && hostile ? { ...row, title: hostile } : row,
  );
  const { generations, scores } = outputs(items, hostile);
  const facts = { parameters: 134_515_008, trainable: 4_884_480, tokens_per_second: 412.3, dev_loss: 2.61 };

  writeLines(recipe.corpus.path, documents);
  writeText(folder.recipe, 'name: mga-fixture\nseed: 7\n');
  writeJson(folder.splits, {
    train: ids(documents, 0, 150),
    dev: ids(documents, 150, 170),
    validation: ids(documents, 170, 230),
  });
  writeLines(join(folder.ledger, '000001.jsonl'), ledger());
  writeJson(folder.status, { state: 'running', commands: [{ command: 'collect', state: 'done', seconds: 3.4 }] });
  writeJson(join(folder.round(1), 'manifest.json'), {
    ...manifest(6.2),
    facts: {
      stages: {
        pairs: { collected: 230, parsed: 229, kept: 229, train: 203, dev: 26, dropped: { 'only 4 distinct pairs': 1 } },
        reformulate: {
          collected: 1150,
          parsed: 1146,
          kept: 1098,
          train: 982,
          dev: 116,
          dropped: { 'score below 4': 13, copied: 21, boilerplate: 14 },
        },
      },
    },
  });
  for (const [name, floor] of [
    ['pairs', 1.1],
    ['writer', 2.5],
  ] as const) {
    writeLines(join(folder.student(name), 'losses.jsonl'), losses(name, floor));
    writeJson(join(folder.student(name), 'manifest.json'), { ...manifest(742), facts });
  }
  writeLines(join(folder.validation, 'generations.jsonl'), generations);
  writeLines(join(folder.validation, 'scores.jsonl'), scores);
  writeJson(folder.table1, [reformulateTable(scores), pairsTable()]);
  writeJson(join(folder.validation, 'manifest.json'), { ...manifest(318), facts: {} });
  return { recipe, folder };
}

function outputs(items: number, hostile: string | undefined): { generations: Row[]; scores: Row[] } {
  const students = recorded('students.jsonl') as unknown as Text[];
  const teacher = (recorded('texts.jsonl') as unknown as Text[]).filter((text) => text.kind === 'base');
  const judged = [...recorded('judgements.jsonl'), ...recorded('student-judgements.jsonl')].filter(
    (row) => row.planted === undefined,
  );
  const judgement = new Map(judged.filter((row) => row.repeat === 1).map((row) => [row.text_id, row]));
  const written = new Map(students.map((text) => [`${text.model} ${text.doc_id}/${text.pair}`, text]));
  const first = teacher.filter((text) => written.has(`${MODELS.base} ${text.doc_id}/${text.pair}`));
  const chosen = [...first, ...teacher.filter((text) => !first.includes(text))].slice(0, items);
  const random = randomStream(7, 'fixture');

  const generations: Row[] = [];
  const scores: Row[] = [];
  const add = (arm: string, model: string, text: Text, item: string, score: number | null, reason: unknown) => {
    const complete = text.complete ?? true;
    const body = hostile && generations.length === 2 ? hostile : text.text;
    generations.push({
      arm,
      model,
      stage: 'reformulate',
      doc_id: text.doc_id,
      item,
      text: body,
      complete,
      tokens: 300,
      seconds: 1.2,
    });
    const usable = score !== null && score >= 3 && complete;
    scores.push({
      arm,
      model,
      stage: 'reformulate',
      doc_id: text.doc_id,
      item,
      score,
      reason,
      copied: false,
      complete,
      usable,
    });
  };
  for (const text of chosen) {
    const item = `${text.doc_id}/${text.pair}`;
    const row = judgement.get(text.id);
    add('teacher', 'recorded', text, item, (row?.score as number) ?? null, row?.analysis);
    for (const [arm, model] of Object.entries(MODELS)) {
      const own = written.get(`${model} ${item}`);
      const shuffled = {
        ...text,
        id: '',
        complete: random.uniform() < 0.6,
        text: random.shuffle(text.text.split(' ')).join(' '),
      };
      const score = own
        ? ((judgement.get(own.id)?.score as number) ?? null)
        : random.uniform() < 0.03
          ? null
          : 1 + random.integer(4);
      add(arm, model, own ?? shuffled, item, score, own ? judgement.get(own.id)?.analysis : undefined);
    }
  }
  for (const doc_id of new Set(chosen.slice(0, 8).map((text) => text.doc_id))) {
    const pairs = recorded('pairs.jsonl').find((row) => row.doc_id === doc_id)?.pairs as {
      genre: string;
      audience: string;
    }[];
    const answer = pairsStage.completion(pairs);
    for (const arm of ['teacher', 'student'] as const) {
      const line = { arm, model: arm, stage: 'pairs', doc_id, item: doc_id, complete: true };
      generations.push({ ...line, text: arm === 'teacher' ? answer : answer.slice(0, 400), tokens: 280, seconds: 1 });
      scores.push({
        ...line,
        score: null,
        copied: false,
        usable: arm === 'teacher',
        reason: arm === 'teacher' ? undefined : 'no complete JSON object in the response',
      });
    }
  }
  return { generations, scores };
}

/** Table 1 with the counts of `scores`; the intervals are made up (plus and minus a tenth), the layout is validate's. */
function reformulateTable(scores: readonly Row[]): Row {
  const around = (rate: number, by = 0.1, least = 0) => [Math.max(least, rate - by), Math.min(1, rate + by)];
  const rows = ['teacher', ...Object.keys(MODELS)].map((arm) => {
    const own = scores.filter((row) => row.stage === 'reformulate' && row.arm === arm);
    const share = (passes: (row: Row) => boolean) => own.filter(passes).length / own.length;
    const rate = share((row) => (row.score as number) >= 3);
    const usable = share((row) => row.usable === true);
    const row: Row = {
      model: own[0]!.model,
      arm,
      total: own.length,
      documents: 31,
      counts: Object.fromEntries(
        [5, 4, 3, 2, 1].map((level) => [level, own.filter((one) => one.score === level).length]),
      ),
      unscored: own.filter((one) => one.score === null).length,
      rate,
      rate_ci: around(rate),
      design_effect: 1.31,
      copied: 0,
      complete: share((one) => one.complete === true),
      usable,
      usable_ci: around(usable, 0.07),
    };
    if (arm === 'teacher') return row;
    return {
      ...row,
      diff: rate - 1,
      diff_ci: [Math.max(-1, rate - 1.1), Math.min(0, rate - 0.9)],
      p_value: 0.0004,
      p_adjusted: 0.0012,
      verdict: 'fail',
      usable_diff: usable - 1,
      usable_diff_ci: [Math.max(-1, usable - 1.07), Math.min(0, usable - 0.93)],
      ...(arm === 'base'
        ? {}
        : { gain_over_base: { usable_diff: usable - 0.03, usable_diff_ci: around(usable - 0.03, 0.07, -1), usable_p_value: 0.03 } }),
    };
  });
  const judge = {
    kind: 'local',
    description: 'Calibrated regression on surface features of source and text.',
    kappa: 0.62,
    kappa_ci: [0.51, 0.71],
    kappa_texts: 203,
    by_kind: [
      { kind: 'flawed', texts: 160, documents: 40, kappa: 0.62, kappa_ci: [0.5, 0.71], exact: 0.6, rate_error: 0.03 },
      { kind: 'student-made', texts: 43, documents: 22, kappa: null, kappa_ci: null, exact: 0.51, rate_error: -0.02 },
    ],
    confusion: [
      [70, 11, 2, 0, 0],
      [12, 40, 9, 1, 0],
      [1, 8, 14, 3, 1],
      [0, 0, 3, 5, 2],
      [0, 0, 0, 4, 17],
    ],
  };
  return { stage: 'reformulate', judge, reference: 'teacher', margin: 3, rows };
}

function pairsTable(): Row {
  const row = (arm: string, usable: number) => ({
    model: arm,
    arm,
    total: 60,
    rate: usable,
    rate_ci: [usable - 0.06, Math.min(1, usable + 0.06)],
    complete: 0.98,
    usable,
  });
  return {
    stage: 'pairs',
    judge: { kind: 'validity', description: '' },
    reference: 'teacher',
    margin: 3,
    rows: [row('teacher', 1), row('base', 0.1), row('student', 0.9)],
  };
}

/** Every document's pairs as ledger lines, with a price. */
function ledger(): Row[] {
  return recorded('pairs.jsonl').map((row) => ({
    type: 'response',
    key: `key ${row.doc_id}`,
    stage: 'pairs',
    docId: row.doc_id,
    item: row.doc_id,
    model: 'recorded',
    promptVersion: 'pairs-1',
    messages: [],
    params: { temperature: 0.7, maxTokens: 1500 },
    text: pairsStage.completion(row.pairs as { genre: string; audience: string }[]),
    finishReason: 'stop',
    usage: { promptTokens: 640, completionTokens: 410 },
    usd: 0.0021,
    latencyMs: 900,
    at: '2026-01-02T03:04:05.000Z',
  }));
}

/** A loss that falls like a power of the step, with noise; dev loss every 40 steps. */
function losses(name: string, floor: number): Row[] {
  const random = randomStream(7, 'losses', name);
  const at = (step: number) => floor + 1.1 * (1 + step / 12) ** -0.6;
  return Array.from({ length: 321 }, (_, step) => [
    ...(step > 0
      ? [{ step, loss: at(step) + 0.12 * random.normal(), learning_rate: 2e-3, tokens: 2400, seconds: 2.3 }]
      : []),
    ...(step % 40 === 0 ? [{ step, dev_loss: at(step) + 0.05 }] : []),
  ]).flat();
}

function manifest(seconds: number): Row {
  return {
    kind: 'fixture',
    inputHash: '0',
    inputs: {},
    versions: { node: 'v20', 'mga-distill': '0.1.0' },
    createdAt: '2026-01-02T04:00:00.000Z',
    seconds,
  };
}

function recorded(name: string): Row[] {
  return readFileSync(join(RECORDED, name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

function ids(documents: readonly Row[], from: number, to: number): unknown[] {
  return documents.slice(from, to).map((row) => row.id);
}

function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function writeJson(path: string, value: unknown): void {
  writeText(path, JSON.stringify(value));
}

function writeLines(path: string, rows: readonly Row[]): void {
  writeText(path, rows.map((row) => JSON.stringify(row) + '\n').join(''));
}
