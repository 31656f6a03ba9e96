/** mga review across rooms: from a rating in the browser's stead to what validate says of the judge. */

import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { writeResolvedRecipe } from '../src/recipe/resolved.ts';
import { review } from '../src/review/review.ts';
import type { ReviewFrame } from '../src/review/review-outputs.ts';
import type { ReviewState, ReviewView } from '../src/review/review-session.ts';
import { indexLedger } from '../src/store/ledger-index.ts';
import type { GenerateArm } from '../src/validate/arm-task.ts';
import { validateStudents } from '../src/validate/validate.ts';
import { makeRun } from './golden/report/make-run.ts';
import { mga } from './mga-here.ts';
import { startMga } from './run-mga.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-review-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Two processes, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 300_000;

const NONSENSE = 'Nobody knows what this is about.';
const recipe = loadRecipe('recipes/debug.yaml', [
  'corpus.limit=16',
  'validate.pairsPerDocument=2',
  'validate.resamples=200',
]);
const context = { emit: () => {}, signal: new AbortController().signal };

const fakeArms: GenerateArm = async function* ({ prompts }) {
  for (const { item } of prompts) yield { item, text: NONSENSE, stopped: true, tokens: 7, seconds: 0.1 };
};

/** A person who sees that nonsense is nonsense. */
async function rateAll(folder: RunFolder, frame: ReviewFrame, rater = 'ann') {
  const stop = new AbortController();
  const onOpen = async ({ url }: { url: string }) => {
    const headers = { 'x-review-token': new URL(url).searchParams.get('token')!, 'content-type': 'application/json' };
    const at = (path: string) => new URL(path, url).href;
    const { screens } = (await (await fetch(at('/review'), { headers })).json()) as ReviewView & ReviewState;
    for (const { id, text } of screens.flatMap(({ texts }) => texts)) {
      const body = JSON.stringify({ id, answer: text === NONSENSE ? 1 : 5 });
      await fetch(at('/ratings'), { method: 'POST', headers, body });
    }
    stop.abort();
  };
  return review(
    recipe,
    folder,
    { frame, size: 100, rater, port: 0, onOpen: (opened) => void onOpen(opened) },
    stop.signal,
  );
}

test('ratings calibrate the judge of the table and that of the training texts, by themselves', async () => {
  const folder = runFolder(join(root, 'run'));
  await collect(recipe, folder, context);
  await expect(rateAll(folder, 'outputs')).rejects.toThrow('no text in it has been scored');
  const before = (await validateStudents(recipe, folder, context, { generateArm: fakeArms }))!;
  expect(before[1]!.reliability!.human).toBeUndefined();
  expect(await validateStudents(recipe, folder, context, { generateArm: fakeArms })).toBeUndefined();

  expect(await rateAll(folder, 'outputs')).toEqual({ outputs: 32, rated: 32, skipped: 0 });
  const [, table] = (await validateStudents(recipe, folder, context, { generateArm: fakeArms }))!;
  const { human, sentences } = table!.reliability!;
  expect(human!.map(({ arm, texts, corrected }) => [arm, texts, corrected])).toEqual([
    ['teacher', 8, 1],
    ['base', 8, 0],
    ['student', 8, 0],
    ['student-w8a8', 8, 0],
  ]);
  expect(human![0]!.sensitivity).toBe(table!.rows[0]!.rate);
  expect(human!.map(({ corrected_diff }) => corrected_diff)).toEqual([undefined, -1, -1, -1]);
  expect(human![2]!.specificity).toBe(1 - table!.rows[2]!.rate);
  expect(sentences.join('\n')).toContain('People on 8 outputs of student: sensitivity n/a, specificity');
  // The judge itself is untouched by it.
  expect(table!.rows.map(({ rate }) => rate)).toEqual(before[1]!.rows.map(({ rate }) => rate));
  expect(await validateStudents(recipe, folder, context, { generateArm: fakeArms })).toBeUndefined();

  const { rated } = await rateAll(folder, 'collected');
  const begun = join(folder.validation, 'generations.jsonl');
  const later = new Date(Date.now() + 60_000);
  utimesSync(begun, later, later);
  await expect(rateAll(folder, 'outputs')).rejects.toThrow('its validation has begun anew and is not finished');
  const [, again] = (await validateStudents(recipe, folder, context, { generateArm: fakeArms }))!;
  expect(again!.reliability!.human!.at(-1)).toMatchObject({ arm: 'collected', texts: rated, corrected: 1 });
  expect(again!.reliability!.human).toHaveLength(5);
  expect(again!.reliability!.raters).toBeUndefined();

  expect(await rateAll(folder, 'outputs', 'bob')).toEqual({ outputs: 32, rated: 32, skipped: 0 });
  const [, twice] = (await validateStudents(recipe, folder, context, { generateArm: fakeArms }))!;
  expect(twice!.reliability!.raters).toMatchObject({ texts: 32, exact: 1, kappa: 1 });
  expect(twice!.reliability!.human).toEqual(again!.reliability!.human);

  // The same on the command line.
  writeResolvedRecipe(recipe, folder);
  const { ratings } = JSON.parse((await mga('status', folder.root, '--json')).stdout) as { ratings: object[] };
  const arms = ['base', 'student', 'student-w8a8', 'teacher'];
  const all = { stage: 'reformulate', rated: 8, skipped: 0 };
  expect(ratings).toEqual([
    { ...all, rater: 'ann', arm: 'base' },
    { ...all, rater: 'ann', arm: 'collected', rated },
    ...arms.slice(1).map((arm) => ({ ...all, rater: 'ann', arm })),
    ...arms.map((arm) => ({ ...all, rater: 'bob', arm })),
  ]);
  expect((await mga('status', folder.root)).stdout).toMatch(
    /Ratings by people\nrater +stage +arm +rated +skipped\nann +reformulate +base +8 +0\n/,
  );
});

test(
  'mga review serves until Ctrl-C, ends with 0, and goes on where it ended',
  async () => {
    const { recipe: made, folder } = makeRun(join(root, 'fixture'));
    writeResolvedRecipe(made, folder);
    const start = async () => {
      const mgaReview = startMga(['review', folder.root, '--json', '--sample', '20', '--rater', 'ann']);
      const [line] = await mgaReview.sees(/^\{"url".*\}$/m);
      return { mgaReview, opened: JSON.parse(line) as { url: string; outputs: number; rated: number } };
    };
    const first = await start();
    expect(first.opened).toMatchObject({ outputs: 20, rated: 0 });
    const { url } = first.opened;
    const headers = { 'x-review-token': new URL(url).searchParams.get('token')!, 'content-type': 'application/json' };
    const { screens } = (await (await fetch(new URL('/review', url), { headers })).json()) as ReviewView;
    const body = JSON.stringify({ id: screens[0]!.texts[0]!.id, answer: 4 });
    expect((await fetch(new URL('/ratings', url), { method: 'POST', headers, body })).status).toBe(200);
    // The ledger has one writer.
    const second = await mga('review', folder.root);
    expect(second.stderr).toContain(`Cannot write to ${folder.ledger}: process `);
    first.mgaReview.kill('SIGINT');
    const ended = await first.mgaReview.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout.trimEnd().split('\n').at(-1)).toBe('{"outputs":20,"rated":1,"skipped":0}');
    const { ratings, spend } = await indexLedger(folder.ledger);
    expect(ratings).toMatchObject([{ type: 'rating', rater: 'ann', score: 4, stage: 'reformulate' }]);
    expect(spend.map(({ responses }) => responses)).toEqual([230]);

    const again = await start();
    expect(again.opened).toMatchObject({ outputs: 20, rated: 1 });
    expect(new URL(again.opened.url).search).not.toBe(new URL(url).search);
    again.mgaReview.kill('SIGINT');
    await again.mgaReview.ended;

    // A rating is no call to a model.
    const explained = JSON.parse((await mga('explain', ratings[0]!.docId, '--run', folder.root, '--json')).stdout);
    expect(explained.calls.map(({ stage }: { stage: string }) => stage)).toEqual(['pairs']);
    const { item, arm, model } = ratings[0]!;
    expect(explained.ratings).toMatchObject([{ stage: 'reformulate', item, arm, model, rater: 'ann', score: 4 }]);
    const told = (await mga('explain', item, '--run', folder.root)).stdout;
    expect(told).toContain(`Rated by people\n  reformulate ${item} of ${arm} (${model}): score 4 by ann, 2`);
  },
  TIMEOUT_MS,
);

test.each([
  [['--sample', 'x'], 'Cannot use --sample x'],
  [['--port', '70000'], 'Cannot use --port 70000'],
  [['--of', 'pairs'], 'Cannot review pairs'],
  [['--rater', ' '], 'Cannot use " " as the name of a rater'],
])('mga review %j is a mistake with a hint', async (options, message) => {
  expect((await mga('review', 'recipes/debug.yaml', ...options)).stderr).toContain(message);
});
