/** mga review of a stage of the recipe's own: its texts, its rubric, and what the ratings say of its judge. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readMaterial } from '../src/collect/collected.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { review } from '../src/review/review.ts';
import type { ReviewFrame } from '../src/review/review-outputs.ts';
import type { ReviewState, ReviewView } from '../src/review/review-session.ts';
import type { GenerateArm } from '../src/validate/arm-task.ts';
import { renderTables } from '../src/validate/render.ts';
import { validateStudents } from '../src/validate/validate.ts';
import { KEY_VARIABLE, URL_VARIABLE } from './collect-setup.ts';
import { type ChatBody, startFakeOpenai } from './fake-openai-server.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-review-own-'));
afterAll(() => rmSync(root, { recursive: true }));

const recipe = loadRecipe('recipes/page-labels.yaml', [
  'corpus.limit=16',
  'splits.dev=0.25',
  'splits.validation=0.5',
  'teacher.model=fake',
  `teacher.apiKeyEnv=${KEY_VARIABLE}`,
  `teacher.baseUrlEnv=${URL_VARIABLE}`,
  'train.model=tiny-random',
  'validate.resamples=200',
]);
const context = { emit: () => {}, signal: new AbortController().signal };

const GOOD = 'A summary that says what the page says.';
const LONG = 'A summary of the page that is much too long, as its judge does not see.';
const POOR = 'Nobody knows.';

/** Every second answer of the students is what the judge takes for good. */
const fakeArms: GenerateArm = async function* ({ prompts }) {
  for (const [i, { item }] of prompts.entries()) {
    yield { item, text: i % 2 === 0 ? LONG : POOR, stopped: true, tokens: 7, seconds: 0.1 };
  }
};

/** A person who lets nothing pass but GOOD; gives the page as it was served. */
async function rateAll(folder: RunFolder, frame: ReviewFrame, stage?: string) {
  const stop = new AbortController();
  let page = '';
  const onOpen = async ({ url }: { url: string }) => {
    const headers = { 'x-review-token': new URL(url).searchParams.get('token')!, 'content-type': 'application/json' };
    page = await (await fetch(url)).text();
    const { screens } = (await (await fetch(new URL('/review', url), { headers })).json()) as ReviewView & ReviewState;
    for (const { id, text } of screens.flatMap(({ texts }) => texts)) {
      const body = JSON.stringify({ id, answer: text === GOOD ? 5 : 1 });
      await fetch(new URL('/ratings', url), { method: 'POST', headers, body });
    }
    stop.abort();
  };
  const options = { frame, stage, size: 200, rater: 'ann', port: 0, onOpen: (at: { url: string }) => void onOpen(at) };
  return { ...(await review(recipe, folder, options, stop.signal)), page };
}

test('people rate texts of an own stage by its rubric, and correct its judge', async () => {
  const folder = runFolder(join(root, 'run'));
  const { documents, splits } = await readMaterial(recipe, folder);
  const validated = splits.validation.length;
  const rubric = recipe.stages.summary!.judge!.rubric.trim();
  const server = await startFakeOpenai(({ messages, response_format }: ChatBody): string => {
    const schema = response_format?.json_schema.name;
    if (schema === 'page') return '{"topic": "nature", "level": 2}';
    if (schema !== 'summary-judge') return GOOD;
    const judged = messages.at(-1)!.content;
    return `{"A": {"analysis": "Read.", "score": ${judged.includes(POOR) ? 2 : 4}}}`;
  });
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  try {
    await collect(recipe, folder, context);
    await expect(rateAll(folder, 'outputs')).rejects.toThrow('Cannot review stage summary');
    await validateStudents(recipe, folder, context, { generateArm: fakeArms });

    const arms = ['teacher', 'base', 'student', 'student-w8a8'];
    const { rated, page } = await rateAll(folder, 'outputs');
    expect(rated).toBe(arms.length * validated);
    for (const part of [rubric.split('\n')[0]!, recipe.stages.summary!.prompt.trim().split('\n')[0]!]) {
      // Each level stands in a line of its own there.
      expect(page.replace(/\s+/g, ' ')).toContain(part);
    }
    const tables = (await validateStudents(recipe, folder, context, { generateArm: fakeArms }))!;
    const { reliability, rows } = tables.find(({ stage }) => stage === 'summary')!;
    expect(reliability!.human!.map(({ arm, texts, corrected }) => [arm, texts, corrected])).toEqual(
      arms.map((arm) => [arm, validated, arm === 'teacher' ? 1 : 0]),
    );
    // The judge passes every second text of the student, of which people pass none.
    expect(rows[2]!.rate).toBe(0.5);
    expect(reliability!.human![2]!.specificity).toBe(0.5);
    expect(reliability!.human![0]!.sensitivity).toBe(1);
    expect(reliability!.warnings.join()).toContain("People disagree with the judge's Rate(>=3) of student");
    expect(renderTables(tables, 'text')).toContain(`People on ${validated} outputs of student: sensitivity n/a`);
    // Labels have no judge to correct.
    expect(tables.find(({ stage }) => stage === 'page')!.reliability?.human).toBeUndefined();

    // What the teacher wrote, with the scores that chose the training texts.
    const collected = await rateAll(folder, 'collected', 'summary');
    expect(collected.rated).toBe(documents.size);
    const again = (await validateStudents(recipe, folder, context, { generateArm: fakeArms }))!;
    expect(again.find(({ stage }) => stage === 'summary')!.reliability!.human!.at(-1)).toMatchObject({
      arm: 'collected',
      texts: documents.size,
      corrected: 1,
    });
    await expect(rateAll(folder, 'outputs', 'page')).rejects.toThrow('its texts have no scores from 1 to 5');
  } finally {
    await server.close();
  }
}, 300_000);
