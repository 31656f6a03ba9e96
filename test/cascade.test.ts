/** A cascade of judges: a local one, and an LLM on a local server for what it is unsure of. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { UserError } from '../src/foundation/errors.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { cascadeJudge } from '../src/judge/cascade.ts';
import type { Judge } from '../src/judge/judge.ts';
import type { SureJudge, SurePair } from '../src/judge/sureness.ts';
import { teacherJudge } from '../src/judge/teacher-judge.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { writeReport } from '../src/report/report.ts';
import type { GenerateArm } from '../src/validate/arm-task.ts';
import type { GenerationLine } from '../src/validate/generations.ts';
import { reliabilityOf } from '../src/validate/reliability.ts';
import { scoreOutputs } from '../src/validate/score-outputs.ts';
import type { ScoredItem } from '../src/validate/scored-item.ts';
import { type StageTable, stageTable } from '../src/validate/table.ts';
import { validateStudents } from '../src/validate/validate.ts';
import { KEY_VARIABLE, URL_VARIABLE } from './collect-setup.ts';
import { type FakeServer, startFakeOpenai } from './fake-openai-server.ts';

const JUDGE = `{kind: openai, model: judge, apiKeyEnv: ${KEY_VARIABLE}, baseUrlEnv: ${URL_VARIABLE}, price: {inputPerMillion: 100, outputPerMillion: 100}}`;
/** What the fake server counts for an answer, at that price. */
const USD = (110 * 100) / 1e6;
const recipeWith = (...overrides: string[]) =>
  loadRecipe('recipes/debug.yaml', [
    // So many that the local judge sees enough texts to be surer of some than of others.
    'corpus.limit=60',
    'splits={dev: 0.1, validation: 0.2}',
    'validate.documents=4',
    'validate.pairsPerDocument=2',
    'validate.resamples=200',
    `validate.judge.teacher=${JUDGE}`,
    ...overrides,
  ]);

const context = { emit: () => {}, signal: new AbortController().signal };
let root: string;
let server: FakeServer;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cascade-'));
});
afterAll(() => rmSync(root, { recursive: true }));
/** Gives every text the grade that stands in it, or one by its length. */
beforeEach(async () => {
  server = await startFakeOpenai(({ messages }) => {
    const { content } = messages[0]!;
    const score = /grade (\d)/.exec(content)?.[1] ?? String(1 + (content.length % 5));
    return `{"A": {"analysis": "read", "score": ${score}}}`;
  });
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
});
afterEach(() => server.close());

const documents = new Map(Array.from({ length: 10 }, (_, d) => [`d${d}`, { id: `d${d}`, text: `Swifts of ${d}.` }]));

/** Five outputs a document and arm; of every second one the local judge is unsure, and then it is wrong. */
const LINES = ['teacher', 'student'].flatMap((arm) =>
  [...documents.keys()].flatMap((doc_id, d) =>
    [1, 2, 3, 4, 5].map((k): GenerationLine => {
      const grade = arm === 'teacher' ? 5 : 1 + ((d + k) % 5);
      const text = `Swifts of ${doc_id} nest under roofs in text ${k} of ${arm}: grade ${grade}, ${(d + k) % 2 ? 'sure' : 'doubtful'}.`;
      const made = { text, complete: true, tokens: 9, seconds: 1, made_from: '' };
      return { arm, model: arm, stage: 'reformulate', doc_id, item: `${doc_id}/${k}`, ...made };
    }),
  ),
);
const isSure = (text: string) => text.endsWith(', sure.');
const heldOut = [0.95, 0.93, 0.85, 0.4].map(
  (sureness, i): SurePair => ({ docId: 'h', kind: 'student', reference: 4, score: i === 1 ? 2 : 5, sureness }),
);
const scoreSurely: SureJudge['scoreSurely'] = async (items) =>
  items.map(({ text }) => {
    const grade = Number(/grade (\d)/.exec(text)![1]);
    return isSure(text) ? { level: grade, sureness: 0.95 } : { level: 6 - grade, sureness: 0.6 };
  });
const cheap: SureJudge = {
  kind: 'local',
  describe: () => ({ kind: 'local', description: 'A rule.' }),
  score: async (items, signal) => (await scoreSurely(items, signal)).map(({ level }) => level),
  scoreSurely,
  heldOut,
};

async function tableBy(judge: Judge) {
  const items = await scoreOutputs(LINES, documents, judge, { seed: 1, onProgress: () => {}, ...context });
  const options = { judge: judge.describe(), margin: 3, resamples: 200, seed: 1 };
  const table = stageTable('reformulate', items, options);
  return { items, table, reliability: reliabilityOf({ table, items, options }) };
}

test('a cascade asks about unsure texts alone, pays once, and has the rates of the LLM where the local judge is right', async () => {
  const folder = runFolder(join(root, 'constructed'));
  const recipe = recipeWith();
  const cascade = () =>
    cascadeJudge(
      cheap,
      teacherJudge(recipe, folder, () => {}),
      { below: 0.9 },
    );
  const { items, table, reliability } = await tableBy(cascade());
  const unsure = LINES.filter(({ text }) => !isSure(text));
  expect(server.requests).toHaveLength(unsure.length);
  expect(items.filter(({ asked }) => asked).map(({ item }) => item)).toEqual(unsure.map(({ item }) => item));
  expect(items.find(({ asked }) => asked)).toMatchObject({ sureness: 0.6, asked: true, usd: USD });
  expect(items.find(({ asked }) => !asked)).not.toHaveProperty('usd');

  // A restart has a judge of its own, and the ledger.
  const again = await tableBy(cascade());
  expect(server.requests).toHaveLength(unsure.length);
  expect(again.items).toEqual(items);
  expect(again.reliability).toEqual(reliability);

  const full = await tableBy(teacherJudge(recipe, runFolder(join(root, 'full')), () => {}));
  expect(server.requests).toHaveLength(unsure.length + LINES.length);
  const rates = ({ rows }: StageTable) => rows.map(({ arm, rate, diff, counts }) => ({ arm, rate, diff, counts }));
  expect(rates(table)).toEqual(rates(full.table));
  const alone = await tableBy(cheap);
  expect(rates(alone.table)).not.toEqual(rates(full.table));

  expect(table.judge).toMatchObject({ kind: 'cascade', cascade: { below: 0.9 } });
  expect(table.judge.cascade!.held_out).toEqual({ texts: 4, share: 0.5, right: 0.5 });
  const found = reliability.cascade!;
  expect(found).toMatchObject({ texts: 100, asked: unsure.length, share: unsure.length / 100 });
  expect(found.usd).toBeCloseTo(USD * unsure.length, 10);
  expect(found.usd_saved).toBeCloseTo(USD * (100 - unsure.length), 10);
  expect(found.arms.map(({ arm, texts }) => [arm, texts])).toEqual([
    ['teacher', 50],
    ['student', 50],
  ]);
  expect(reliability.sentences.join('\n')).toContain(
    `an LLM scored 50 of 100 outputs (50.0%; teacher 50.0%, student 50.0%), those at least 0.9 sure kept the local score. It cost $0.55, about $0.55 less than judging all of them.`,
  );
  expect(reliability.sentences.join('\n')).toContain(
    "50.0% would be kept, 50.0% of them on the reference judge's side",
  );
  expect(reliability.warnings.join('\n')).toContain('it inherits their taste');
});

test('an output the LLM of a cascade gives no score to has none', async () => {
  await server.close();
  server = await startFakeOpenai(() => 'I had rather not.');
  process.env[URL_VARIABLE] = server.baseUrl;
  const judge = cascadeJudge(
    cheap,
    teacherJudge(recipeWith(), runFolder(join(root, 'mute')), () => {}),
    { below: 0.9 },
  );
  const { items, table } = await tableBy(judge);
  expect(items.filter(({ asked }) => asked).every(({ score }) => score === null)).toBe(true);
  expect(table.rows.map(({ total, unscored }) => [total, unscored])).toEqual([
    [50, 25],
    [50, 25],
  ]);
});

const scoredItems = ({ validation }: RunFolder) =>
  readFileSync(join(validation, 'scores.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ScoredItem);

/** Arms that answer with something of their document. */
const standIn: GenerateArm = async function* ({ arm, prompts }) {
  for (const { item, messages } of prompts) {
    const text = `${arm} says: ${messages[0]!.content.split('\n')[1]!.slice(0, 80 + item.length)}`;
    yield { item, text, stopped: true, tokens: 7, seconds: 0.1 };
  }
};

test('mga validate: below 1 asks about all, below 0 about none; share and price stand in JSON, table and report', async () => {
  const folder = runFolder(join(root, 'run'));
  await collect(recipeWith(), folder, context);
  const run = async (...overrides: string[]) => {
    const tables = await validateStudents(recipeWith(...overrides), folder, context, { generateArm: standIn });
    return tables!.find(({ stage }) => stage === 'reformulate')!;
  };
  const local = await run();
  const none = await run('validate.judge.cascade.below=0');
  expect(server.requests).toHaveLength(0);
  expect(none.rows).toEqual(local.rows);
  expect(none.reliability!.cascade).toMatchObject({ asked: 0, share: 0, usd: null, usd_saved: null });

  // A cap that ends the run on the way: what was answered stays paid.
  await expect(run('validate.judge.cascade.below=1', 'budget.usd=0.3')).rejects.toThrow(UserError);
  const before = server.requests.length;
  expect(before).toBeGreaterThan(0);
  const all = await run('validate.judge.cascade.below=1');
  const asked = server.requests.length;
  // Less sure than this are some texts and not all.
  const surenesses = [...new Set(scoredItems(folder).flatMap(({ sureness }) => sureness ?? []))].sort((a, b) => a - b);
  expect(surenesses.length).toBeGreaterThan(1);
  const threshold = surenesses[Math.ceil(surenesses.length / 2)]!;
  const full = await run('validate.judge.kind=teacher');
  expect(all.rows).toEqual(full.rows);
  expect(all.reliability!.cascade!.share).toBe(1);
  // The LLM alone asks for no more than the cascade that asked about everything.
  expect(server.requests).toHaveLength(asked);
  expect(new Set(server.requests.map(({ key }) => key)).size).toBe(asked);

  const some = await run(`validate.judge.cascade.below=${threshold}`);
  expect(server.requests).toHaveLength(asked);
  const { cascade } = (JSON.parse(readFileSync(folder.table1, 'utf8')) as StageTable[]).find(
    ({ stage }) => stage === 'reformulate',
  )!.reliability!;
  expect(cascade).toEqual(some.reliability!.cascade);
  expect(cascade!.below).toBe(threshold);
  expect(cascade!.asked).toBeGreaterThan(0);
  expect(cascade!.asked).toBeLessThan(cascade!.texts);
  const outputs = some.rows.reduce((sum, { total, unscored }) => sum + total - (unscored ?? 0), 0);
  expect(cascade!.texts).toBe(outputs);
  expect(cascade!.usd).toBeCloseTo(USD * cascade!.asked, 10);
  expect(readFileSync(join(folder.validation, 'table1.md'), 'utf8')).toContain(
    `Cascade: an LLM scored ${cascade!.asked} of ${cascade!.texts} outputs`,
  );
  await writeReport(recipeWith(), folder, context);
  expect(readFileSync(folder.report, 'utf8')).toContain(
    `The LLM scored ${cascade!.asked} of ${cascade!.texts} outputs`,
  );
}, 300_000);
