/** `mga plan`: prices by who is asked, a probe that is paid once, and what its interval is worth. */

import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { renderPlan } from '../src/cli/plan/render-plan.ts';
import { planRun } from '../src/cli/run-plan.ts';
import { collect } from '../src/collect/collect.ts';
import { probe } from '../src/collect/probe.ts';
import type { Recipe, RecipeInput } from '../src/recipe/schema.ts';
import { recipeSchema } from '../src/recipe/schema.ts';
import { KEY_VARIABLE, ledgerLines, recordingContext, temporaryRun, URL_VARIABLE } from './collect-setup.ts';
import { type ChatBody, conversationKey, startFakeOpenai } from './fake-openai-server.ts';
import { labelerAnswer } from './labeler.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Answers of every stage; answer tokens are a third of the prompt's, give or take a half. */
function answer({ messages }: ChatBody) {
  const key = conversationKey(messages);
  const { text, usage } = labelerAnswer(key, messages);
  const completion = Math.round((usage.prompt_tokens / 3) * (0.5 + Number.parseInt(key.slice(0, 4), 16) / 0xffff));
  return { text, usage: { ...usage, completion_tokens: completion, total_tokens: 0 } };
}

async function serve() {
  const server = await startFakeOpenai(answer);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  cleanups.push(server.close);
  return server;
}

const model = (name: string, inputPerMillion: number, outputPerMillion: number) => ({
  kind: 'openai' as const,
  model: name,
  apiKeyEnv: KEY_VARIABLE,
  baseUrlEnv: URL_VARIABLE,
  price: { inputPerMillion, outputPerMillion },
});

function run(changes: Partial<RecipeInput> = {}) {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  const recipe = recipeSchema.parse({
    name: 'plan-test',
    corpus: { path: 'data/quickstart/documents.jsonl', limit: 24 },
    teacher: model('labeler', 1, 10),
    judge: { teacher: model('judge', 100, 100), canaries: 4 },
    students: [{ name: 'writer', stages: ['pairs', 'reformulate'] }],
    ...changes,
  });
  return { recipe, folder };
}

const rowsOf = async (recipe: Recipe, folder: ReturnType<typeof run>['folder']) => {
  const plan = await planRun(recipe, folder, { previews: 0 });
  return { plan, rows: Object.fromEntries(plan.stages.map((row) => [`${row.stage} ${row.model}`, row])) };
};

describe('planRun() before anything is asked', () => {
  it('plans the judging of own text stages by their rubric, once a document and repeat', async () => {
    const { recipe, folder } = run({
      collect: { stages: ['summary'] },
      stages: { summary: { kind: 'text', prompt: 'Sum it up.', judge: { rubric: '5: right. 1: wrong.' } } },
      students: [{ name: 'summary', stages: ['summary'] }],
      judge: { teacher: model('judge', 100, 100), repeats: 2 },
      validate: { judge: { kind: 'teacher' }, arms: ['teacher', 'student'], documents: 3 },
    });
    const { rows } = await rowsOf(recipe, folder);
    expect(Object.entries(rows).map(([row, { total }]) => [row, total])).toEqual([
      ['summary labeler', 24],
      ['summary-judge judge', 24 * 2],
      ['validate: summary-judge judge', 2 * 3 * 2],
    ]);
    const { previews } = await planRun(recipe, folder, { previews: 1 });
    const [content] = previews
      .filter(({ stage }) => stage === 'summary-judge')
      .map(({ messages }) => messages[0]!.content);
    expect(content).toContain('(a text that `summary` writes)');
    expect(content).toContain('5: right. 1: wrong.');
  });

  it('prices judges by their own prices, with repeats, canaries, the second judge and the judging of students', async () => {
    const { recipe, folder } = run({
      judge: { teacher: model('judge', 100, 200), repeats: 3, canaries: 4, second: model('other', 50, 0) },
      validate: { judge: { kind: 'teacher' }, arms: ['teacher', 'student'], documents: 2, pairsPerDocument: 2 },
    });
    const { plan, rows } = await rowsOf(recipe, folder);
    expect(Object.values(rows).map(({ total }) => total)).toEqual([
      24,
      24 * 5,
      24 * 5 * 3 + 4,
      24 * 5,
      // Two arms of four texts, four canaries; three times for the first judge.
      (2 * 4 + 4) * 3,
      2 * 4 + 4,
    ]);
    for (const row of Object.values(rows)) expect(row.completionTokens % row.toAsk).toBe(0);
    const judge = rows['judge judge']!;
    expect(judge.usd).toBeCloseTo((judge.promptTokens * 100 + judge.completionTokens * 200) / 1e6, 9);
    const second = rows['judge other']!;
    expect(second.usd).toBeCloseTo((second.promptTokens * 50) / 1e6, 9);
    expect(plan.price.usd).toBeCloseTo(
      plan.stages.reduce((sum, { usd }) => sum + usd!, 0),
      9,
    );
    expect(plan.price.estimate).toBeUndefined();
    // What is known to be at most something has no interval.
    expect(renderPlan(plan)).toMatch(/^ {2}by the teacher: at most about \$[\d.]+$/m);
    expect(renderPlan(plan)).toMatch(
      /^Price: at most about \$[\d.]+, if every answer is as long as allowed; --probe 5/m,
    );
  });

  it('takes a cascade for a judge of everything, which it is at most', async () => {
    const arms = { arms: ['teacher' as const, 'student' as const], documents: 2, pairsPerDocument: 2 };
    const planned = async (judge: NonNullable<RecipeInput['validate']>['judge']) => {
      const { recipe, folder } = run({ validate: { ...arms, judge } });
      return (await rowsOf(recipe, folder)).rows['validate: judge judge'];
    };
    const all = await planned({ kind: 'teacher' });
    expect(all).toMatchObject({ total: 2 * 4 + 4 });
    expect(await planned({ cascade: { below: 0.8 } })).toEqual(all);
    expect(await planned({})).toBeUndefined();
  });

  it('does not take a judge without a price for a cheap one', async () => {
    const { price: _, ...unpriced } = model('judge', 0, 0);
    const { recipe, folder } = run({ judge: { teacher: unpriced } });
    const { plan } = await rowsOf(recipe, folder);
    expect(plan.price.usd).toBeNull();
    expect(renderPlan(plan)).toContain('Price: unknown');
  });

  it('counts the discount of batches', async () => {
    const direct = run();
    const batch = run({ teacher: { ...model('labeler', 1, 10), batch: true } });
    const [one, other] = [await rowsOf(direct.recipe, direct.folder), await rowsOf(batch.recipe, batch.folder)];
    expect(other.rows['pairs labeler']!.usd).toBeCloseTo(one.rows['pairs labeler']!.usd! / 2, 12);
    expect(other.rows['judge judge']!.usd).toBe(one.rows['judge judge']!.usd);
  });

  it('counts what failed in passing as still to be asked, with all that depends on it', async () => {
    const server = await startFakeOpenai(
      () => undefined,
      () => ({ kind: 'status', status: 500 }),
    );
    cleanups.push(server.close);
    process.env[KEY_VARIABLE] = 'test-key';
    process.env[URL_VARIABLE] = server.baseUrl;
    const { recipe, folder } = run({ collect: { maxAttempts: 1 } });
    await expect(collect(recipe, folder, recordingContext().context)).rejects.toThrow('all 24 requests failed');
    const { plan } = await rowsOf(recipe, folder);
    expect(plan.stages.map(({ toAsk }) => toAsk)).toEqual([24, 120, 124]);
  });

  it('shows prompts of real rows, with stand-ins where earlier answers are missing', async () => {
    const { recipe, folder } = run();
    const plan = await planRun(recipe, folder, { previews: 2 });
    expect(plan.previews.map(({ stage, standIn }) => [stage, standIn])).toEqual([
      ['pairs', false],
      ['pairs', false],
      ['reformulate', true],
      ['reformulate', true],
      ['judge', true],
      ['judge', true],
    ]);
    const prompt = plan.previews[0]!.messages[0]!.content;
    expect(prompt).toContain('devise five combinations');
    expect(renderPlan(plan, { whole: true })).toContain(prompt.split('\n').at(-1)!);
    expect(renderPlan(plan)).toMatch(/\[\.\.\. [\d,]+ characters \.\.\.\]/);
    expect(existsSync(folder.splits)).toBe(false);
  });
});

describe('probe()', () => {
  it('asks so many documents, and collect asks only the others: nothing is paid twice', async () => {
    const server = await serve();
    const { recipe, folder } = run();
    await probe(recipe, folder, 6, recordingContext().context);
    expect(server.requests.length).toBe(6 * (1 + 5 + 5));
    expect(existsSync(folder.splits)).toBe(false);
    expect(existsSync(folder.status)).toBe(false);
    // A second probe of as many asks nothing, one of more only what is new.
    await probe(recipe, folder, 6, recordingContext().context);
    await probe(recipe, folder, 8, recordingContext().context);
    expect(server.requests.length).toBe(8 * 11);

    const { plan, rows } = await rowsOf(recipe, folder);
    expect(rows['pairs labeler']).toMatchObject({ total: 24, answered: 8, toAsk: 16, estimate: { documents: 8 } });
    const { estimate, spent } = plan.price;
    expect(estimate).toMatchObject({ documents: 8, without: [] });
    const { value, low, high } = estimate!.usd!;
    expect(low!).toBeLessThan(value);
    expect(value).toBeLessThan(plan.price.usd!);

    await collect(recipe, folder, recordingContext().context);
    const keys = server.requests.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBe(24 * 11 + 4);
    const after = await rowsOf(recipe, folder);
    const paid = after.plan.price.spent - spent;
    expect(paid).toBeGreaterThan(low!);
    expect(paid).toBeLessThan(high!);
    expect(after.plan.stages.every(({ toAsk }) => toAsk === 0)).toBe(true);
    expect(renderPlan(after.plan)).toContain(`Spent so far: $${after.plan.price.spent.toFixed(2)}`);
    expect(renderPlan(plan)).toMatch(
      /^Price of what is to come: about \$[\d.]+ \(95%: \$[\d.]+ to \$[\d.]+\), from the answers to 8 documents; at most about/m,
    );
  });

  it('asks directly where the recipe asks by batch, and prices the rest by batch', async () => {
    const server = await serve();
    const teacher = { ...model('labeler', 1, 10), batch: true };
    const { recipe, folder } = run({ teacher, collect: { stages: ['pairs'] }, judge: {} });
    await probe(recipe, folder, 6, recordingContext().context);
    expect(server.requests.length).toBe(6);
    const lines = (await ledgerLines(folder)).filter((line) => line.type === 'response');
    const spent = lines.reduce((sum, { usd }) => sum + usd!, 0);
    const [row] = (await planRun(recipe, folder)).stages;
    expect(row!.estimate!.seconds).toBeNull();
    expect(renderPlan(await planRun(recipe, folder))).toContain('Time to ask by batch: at most 24 h, 24 h a stage');
    // 18 of 24 at half of what 6 cost, give or take their lengths.
    expect(row!.estimate!.usd!.value / ((spent / 6) * 18 * 0.5)).toBeCloseTo(1, 0);
    expect(row!.estimate!.usd!.value).toBeLessThan(0.75 * ((spent / 6) * 18));
  });

  it('keeps to budget.usd, and says where the plan exceeds it', async () => {
    await serve();
    const { recipe, folder } = run({ budget: { usd: 1.2 } });
    await expect(probe(recipe, folder, 20, recordingContext().context)).rejects.toThrow(/could exceed budget.usd/);
    const plan = await planRun(recipe, folder);
    expect(plan.price.spent).toBeLessThan(1.2);
    expect(renderPlan(plan)).toContain('budget.usd is $1.20: the run may stop before its end');
  });
});
