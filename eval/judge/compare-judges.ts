/**
 * The distilled judge of recipes/mga-judge.yaml against the local one, on documents neither has seen.
 *
 *   npx tsx eval/judge/compare-judges.ts      after `mga train recipes/mga-judge.yaml`; writes eval/judge/comparison.json and scores.jsonl
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCollected } from '../../src/collect/collected.ts';
import { readManifest } from '../../src/foundation/artifact.ts';
import { runFolder } from '../../src/foundation/run-folder.ts';
import type { TwiceJudged } from '../../src/judge/compare-judges.ts';
import { loadRecipe } from '../../src/recipe/load.ts';
import { chooseJudge } from '../../src/validate/choose-judge.ts';

const recipe = loadRecipe('recipes/mga-judge.yaml', process.argv.slice(2));
const folder = runFolder(join('checkpoints', recipe.name));
const emit = (event: { type: string }) => {
  if (event.type === 'log' || event.type === 'command-progress') console.error(JSON.stringify(event));
};
const started = performance.now();
const collected = await readCollected(recipe, folder);
const judge = await chooseJudge(recipe, folder, collected, { emit, signal: new AbortController().signal });
const report = judge.describe();
const { held } = JSON.parse(readFileSync(join(folder.validation, 'judge-student.json'), 'utf8')) as {
  held: TwiceJudged[];
};
const training = readManifest(folder.student('judge'))?.facts;
const seconds = (performance.now() - started) / 1000;
const result = { training, seconds, used: judge.kind, compared: report.compared, description: report.description };
const out = (name: string, text: string) => writeFileSync(new URL(name, import.meta.url), text);
out('comparison.json', `${JSON.stringify(result, null, 1)}\n`);
out('scores.jsonl', held.map((text) => `${JSON.stringify(text)}\n`).join(''));
console.log(report.description);
console.table(report.compared);
