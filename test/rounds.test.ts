/** Rounds of filtering and training without models: stand-ins for training and generation, everything else as it is. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readRoundDocuments } from '../src/corpus/round-documents.ts';
import { readSplits } from '../src/corpus/splits.ts';
import { curate } from '../src/curate/curate.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import { readManifest, writeManifest } from '../src/foundation/artifact.ts';
import { InterruptedError } from '../src/foundation/errors.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { type RunFolder, roundFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe, parseRecipe } from '../src/recipe/load.ts';
import type { Recipe, RecipeInput } from '../src/recipe/schema.ts';
import { readSummary } from '../src/rounds/round-outcome.ts';
import { type RoundCommands, runRounds } from '../src/rounds/run-rounds.ts';
import { PAIRS_PER_DOCUMENT, pairsStage } from '../src/stage/pairs.ts';
import type { GenerateArm } from '../src/validate/arm-task.ts';
import {
  KEY_VARIABLE,
  ledgerLines,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
  URL_VARIABLE,
} from './collect-setup.ts';
import { conversationKey, startFakeOpenai } from './fake-openai-server.ts';

/** Seconds on a quiet machine; this is for one that is busy with other tests. */
vi.setConfig({ testTimeout: 600_000 });

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const VALID = pairsStage.completion(
  Array.from({ length: PAIRS_PER_DOCUMENT }, (_, i) => ({
    genre: `A letter to the editor of paper ${i}.`,
    audience: `Readers of the morning, group ${i}.`,
  })),
);

/** Students that give valid pairs for some documents alone. */
const students = (isValid: (docId: string, round: number) => boolean): GenerateArm =>
  async function* ({ folder, prompts }) {
    for (const { item, docId } of prompts) {
      const text = isValid(docId, folder.currentRound) ? VALID : 'Five pairs come to mind.';
      yield { item, text, stopped: true, tokens: 3, seconds: 0.1 };
    }
  };

/** Real collect and curate; a training that leaves a file with the number of its rows. */
function commands(ran: string[], onTrain: (folder: RunFolder) => void = () => {}): RoundCommands {
  return {
    collect: async (recipe, folder, context) => {
      ran.push(`collect ${folder.currentRound}`);
      await collect(recipe, folder, context);
    },
    curate: async (recipe, folder, context) => {
      ran.push(`curate ${folder.currentRound}`);
      await curate(recipe, folder, context);
    },
    train: async (recipe, folder) => {
      ran.push(`train ${folder.currentRound}`);
      onTrain(folder);
      for (const { name, stages } of recipe.students) {
        const rows = stages.flatMap((stage) => readSft(folder.sft(folder.currentRound, stage, 'train')));
        mkdirSync(folder.student(name), { recursive: true });
        writeFileSync(join(folder.student(name), 'adapter.safetensors'), `round ${folder.currentRound}`);
        writeManifest(folder.student(name), { kind: 'train', inputs: { rows: rows.map(({ id }) => id) } });
      }
    },
  };
}

function newRun() {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  return folder;
}

/** Ten documents to train on, five for dev. */
function pairsRecipe(...sets: string[]): Recipe {
  const debug = loadRecipe('recipes/debug.yaml', ['corpus.limit=20', 'validate.resamples=200', ...sets]);
  const { judgeTexts: _, ...collecting } = debug.collect;
  return {
    ...debug,
    collect: { ...collecting, stages: ['pairs'] },
    students: [{ name: 'pairs', stages: ['pairs'] }],
  };
}

/** Right on the first documents of dev: as many as the round's number in `counts`. */
const rightOn = (folder: RunFolder, counts: readonly number[]): GenerateArm =>
  students((docId, round) => readSplits(folder.splits).dev.indexOf(docId) < counts[round - 1]!);

async function go(recipe: Recipe, folder: RunFolder, generateArm: GenerateArm, wanted?: RoundCommands) {
  const ran: string[] = [];
  const { events, context } = recordingContext();
  await runRounds(recipe, folder, context, wanted ?? commands(ran), { generateArm });
  return { ran, events, summary: readSummary(folder)! };
}

const told = (events: readonly RunEvent[]) => events.flatMap((event) => (event.type === 'log' ? [event.message] : []));

test('each round adds documents, trains on all so far, and is measured against the one before; the best is taken', async () => {
  const folder = newRun();
  const recipe = pairsRecipe('rounds.count=3', 'rounds.minGain=-100');
  const { ran, events, summary } = await go(recipe, folder, rightOn(folder, [2, 4, 3]));
  expect(ran).toEqual([1, 2, 3].flatMap((n) => ['collect', 'curate', 'train'].map((name) => `${name} ${n}`)));
  const { train, validation } = readSplits(folder.splits);
  const added = [1, 2, 3].map((round) => readRoundDocuments(folder, round)!.documents);
  expect(added.map(({ length }) => length)).toEqual([4, 4, 2]);
  expect(added.flat().sort()).toEqual([...train].sort());
  const trainedOn = [1, 2, 3].map((round) => readSft(folder.sft(round, 'pairs', 'train')).map(({ doc_id }) => doc_id));
  for (const [i, docs] of trainedOn.entries()) {
    expect(
      docs.every((id) =>
        added
          .slice(0, i + 1)
          .flat()
          .includes(id),
      ),
    ).toBe(true);
  }
  expect(summary).toMatchObject({ count: 3, chosen: 2, stopped: 'count' });
  expect(summary.rounds.map(({ dev, gain }) => [dev.documents, dev.usable, gain])).toEqual([
    [5, 0.4, null],
    [5, 0.8, 0.4],
    [5, 0.6, expect.closeTo(-0.2)],
  ]);
  expect(summary.rounds.map(({ added: { pairs }, stages }) => [pairs!.collected, stages.pairs!.collected])).toEqual([
    [4, 9],
    [4, 13],
    [2, 15],
  ]);
  expect(readFileSync(join(folder.student('pairs'), 'adapter.safetensors'), 'utf8')).toBe('round 2');
  expect(readManifest(folder.student('pairs'))).toEqual(readManifest(roundFolder(folder, 2).student('pairs')));
  expect(told(events).at(-2)).toContain('The students of round 2');
  // Between rounds nothing is read of the documents that validation is for.
  const scored = [1, 2, 3].flatMap((round) => readFileSync(join(folder.round(round), 'dev', 'scores.jsonl'), 'utf8'));
  for (const id of validation) expect(scored.join()).not.toContain(`"${id}"`);
});

test('rounds stop at minGain; a lower one goes on with the next round and repeats none', async () => {
  const folder = newRun();
  const sets = ['rounds.count=9', 'rounds.documents=3'];
  const arm = rightOn(folder, [2, 3, 3, 2, 5]);
  const { summary, events } = await go(pairsRecipe(...sets, 'rounds.minGain=30'), folder, arm);
  expect(summary).toMatchObject({ stopped: 'gain', chosen: 2 });
  expect(told(events).at(-2)).toBe(
    'Rounds end after 2 of 9: the last one gained +20.0 points, and rounds.minGain asks for 30. The students of round 2 are those of the run',
  );
  const further = await go(pairsRecipe(...sets), folder, arm);
  expect(further.ran).toEqual([3, 4].flatMap((n) => ['collect', 'curate', 'train'].map((name) => `${name} ${n}`)));
  // Documents are left for none after the fourth: 3 + 3 + 3 + 1.
  expect(further.summary).toMatchObject({ stopped: 'gain', chosen: 3 });
  expect(further.summary.rounds).toHaveLength(4);
  const again = await go(pairsRecipe(...sets), folder, arm);
  expect(again.ran).toEqual([]);
  expect(again.events.filter(({ type }) => type === 'command-start')).toEqual([]);
  expect((await go(pairsRecipe(...sets, 'rounds.minGain=-100'), folder, arm)).summary.stopped).toBe('documents');
});

test('documents that students fail are handed to the teacher', async () => {
  const folder = newRun();
  const recipe = pairsRecipe('rounds.count=2', 'rounds.documents=4', 'rounds.failed=0.5', 'rounds.minGain=-100');
  const isValid = (docId: string) => Number.parseInt(docId.slice(-2), 10) % 2 === 0;
  const { summary } = await go(recipe, folder, students(isValid));
  const { documents, failed } = readRoundDocuments(folder, 2)!;
  const tried = readFileSync(join(folder.round(2), 'trial', 'generations.jsonl'), 'utf8')
    .trim()
    .split('\n');
  expect(tried).toHaveLength(4);
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.some(isValid)).toBe(false);
  expect(documents.slice(0, failed.length)).toEqual(failed);
  expect(documents).toHaveLength(4);
  expect(summary.rounds[1]!.documents).toEqual({ added: 4, failed: failed.length, so_far: 8 });
  const labeled = (await ledgerLines(folder)).flatMap((line) => (line.type === 'response' ? [line.docId] : []));
  for (const id of failed) expect(labeled).toContain(id);
});

test('a round that was stopped in training goes on there, and the rounds before are not touched', async () => {
  const folder = newRun();
  const recipe = pairsRecipe('rounds.count=2', 'rounds.minGain=-100');
  const arm = rightOn(folder, [2, 4]);
  const stopping = commands([], ({ currentRound }) => {
    if (currentRound === 2) throw new InterruptedError();
  });
  await expect(go(recipe, folder, arm, stopping)).rejects.toThrow(InterruptedError);
  expect(readSummary(folder)).toMatchObject({ chosen: null, stopped: null, rounds: [{ round: 1 }] });
  expect(existsSync(join(folder.student('pairs'), 'manifest.json'))).toBe(false);
  const before = readRoundDocuments(folder, 2);
  const { ran, events, summary } = await go(recipe, folder, arm);
  expect(ran).toEqual(['collect 2', 'curate 2', 'train 2']);
  expect(readRoundDocuments(folder, 2)).toEqual(before);
  expect(summary).toMatchObject({ chosen: 2, stopped: 'count' });
  const skipped = events.flatMap((event) => (event.type === 'command-skip' ? [event.reason] : []));
  expect(skipped.some((reason) => reason.startsWith('round 2: nothing is missing: 20 documents with pairs'))).toBe(
    true,
  );
});

/** An LLM that labels and one that judges; every text gets a 5, and a 3 from whoever judges again. */
async function live(more: Partial<RecipeInput> = {}) {
  const { answers } = await recordedOutcome({ collect: { stages: ['pairs', 'reformulate'] } });
  const server = await startFakeOpenai(({ model, messages }) =>
    model === 'fake'
      ? answers.get(conversationKey(messages))
      : `{"A": {"analysis": "read", "score": ${model === 'again' ? 3 : 5}}}`,
  );
  cleanups.push(server.close);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const teacher = (model: string) => ({
    kind: 'openai' as const,
    model,
    apiKeyEnv: KEY_VARIABLE,
    baseUrlEnv: URL_VARIABLE,
    price: { inputPerMillion: 1, outputPerMillion: 1 },
  });
  const recipe = smallRecipe('openai', {
    teacher: teacher('fake'),
    judge: { teacher: teacher('judge'), canaries: 0 },
    collect: {},
    rounds: { count: 2, documents: 1, minGain: -100, rejudge: 4, rejudgeBy: teacher('again') },
    validate: { pairsPerDocument: 1, resamples: 200 },
    ...more,
  });
  return { server, recipe };
}

const text = 'Nobody knows what this text is about, least of all the one who wrote it, on a quiet evening in spring.';
const writers: GenerateArm = async function* ({ prompts }) {
  for (const { item } of prompts) yield { item, text, stopped: true, tokens: 20, seconds: 0.1 };
};

test('an LLM judges teacher and students on dev, kept texts are judged again, and nothing is asked twice', async () => {
  const { server, recipe } = await live();
  const folder = newRun();
  const { summary, events } = await go(recipe, folder, writers);
  const [first, second] = summary.rounds;
  expect(first!.dev).toMatchObject({ judge: 'teacher', documents: 1, usable: 1, teacher: 1 });
  expect(second).toMatchObject({ gain: 0, documents: { added: 1, failed: 0, so_far: 2 } });
  for (const { rejudged, added } of summary.rounds) {
    const texts = Math.min(4, added.reformulate!.kept);
    expect(rejudged).toMatchObject([
      { by: 'again', texts, mean: 5, mean_again: 3, rate: 1, rate_again: 1, lost: 1, unscored: 0 },
    ]);
  }
  expect(told(events).filter((message) => message.includes('judged again by again: mean 5.00 -> 3.00'))).toHaveLength(
    2,
  );
  expect(new Set(server.requests.map(({ key }) => key)).size).toBe(server.requests.length);
  const asked = server.requests.length;
  expect((await go(recipe, folder, writers)).ran).toEqual([]);
  expect(server.requests).toHaveLength(asked);
});

test('without another judge the same one is asked once more', async () => {
  const { recipe } = await live({ rounds: { count: 2, documents: 1, minGain: -100, rejudge: 3 } });
  const { summary } = await go(recipe, newRun(), writers);
  expect(summary.rounds[0]!.rejudged).toMatchObject([
    { by: 'judge once more', texts: 3, mean: 5, mean_again: 5, lost: 0 },
  ]);
});

test('rounds stop where the budget ends, before a round or inside it, and a higher budget goes on', async () => {
  const { server, recipe } = await live();
  const folder = newRun();
  const abort = new AbortController();
  const context = {
    emit: (event: RunEvent) => {
      if (event.type === 'round-start' && event.round === 2) abort.abort();
    },
    signal: abort.signal,
  };
  await expect(runRounds(recipe, folder, context, commands([]), { generateArm: writers })).rejects.toThrow();
  const { usd } = readSummary(folder)!.rounds[0]!;
  expect(usd).toBeGreaterThan(0);
  const asked = server.requests.length;

  const inside = { ...recipe, budget: { usd: 1.6 * usd } };
  const stopped = await go(inside, folder, writers);
  expect(stopped.summary).toMatchObject({ stopped: 'budget', chosen: 1, rounds: [{ round: 1 }] });
  expect(told(stopped.events)[0]).toMatch(/^Cannot ask further: .*budget.usd/);
  expect(readManifest(folder.student('writer'))).toBeDefined();
  expect(server.requests.length - asked).toBeLessThan(3);

  const enough = await go({ ...recipe, budget: { usd: 100 } }, folder, writers);
  expect(enough.summary).toMatchObject({ stopped: 'count', rounds: [{ round: 1 }, { round: 2 }] });
  expect(enough.ran).toEqual(['collect 2', 'curate 2', 'train 2']);

  const third = {
    ...recipe,
    rounds: { ...recipe.rounds, count: 3 },
    budget: { usd: 1.0001 * enough.summary.rounds[1]!.usd },
  };
  const before = server.requests.length;
  expect((await go(third, folder, writers)).summary.stopped).toBe('budget');
  expect(server.requests).toHaveLength(before);
});

test('the LLM that filters may make the table only where the recipe insists, and the report then warns', async () => {
  const text = (rounds: string) =>
    `name: r\ncorpus: {path: x}\nteacher: {kind: openai, model: m}\n${rounds}\nvalidate: {judge: {kind: teacher}}\nstudents: [{name: w, stages: [reformulate]}]\n`;
  expect(() => parseRecipe(text('rounds: {count: 2}'), 'r.yaml')).toThrow(
    /r.yaml, line 5: validate.judge: the LLM that filters/,
  );
  expect(parseRecipe(text(''), 'r.yaml').rounds.count).toBe(1);
  const insisting = parseRecipe(text('rounds: {count: 2, sameJudge: true}'), 'r.yaml');
  const { warningsOf } = await import('../src/rounds/warnings.ts');
  expect(warningsOf(insisting)).toEqual([expect.stringContaining('rounds.sameJudge')]);
  expect(warningsOf(pairsRecipe('rounds.count=2'))).toEqual([expect.stringContaining('local judge steered')]);
});
