/**
 * Blind judging of a validated run by a reader (a person, or an LLM that reads with the rubric), outside the pipeline.
 *
 *   npx tsx eval/blind/blind-judging.ts sheets RUN OUT PARTS   validation/generations.jsonl -> OUT/sheet-<n>.jsonl, OUT/key.jsonl
 *   npx tsx eval/blind/blind-judging.ts merge OUT SCORES       OUT/scores-<n>.jsonl + key -> SCORES, which `mga validate --from` reads
 *
 * A sheet line is {id, original, rewrite}, arms shuffled together under opaque ids; a reader answers each with
 * {id, score: 1..5, analysis}. The key must not be shown to readers. The rubric is the judge stage's instruction.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readCollected } from '../../src/collect/collected.ts';
import { COPIED_LIMIT, copiedShare } from '../../src/curate/measures/copied-share.ts';
import { randomStream } from '../../src/foundation/random.ts';
import { runFolder } from '../../src/foundation/run-folder.ts';
import { recipeSchema } from '../../src/recipe/schema.ts';

interface Generation {
  arm: string;
  model: string;
  stage: string;
  doc_id: string;
  item: string;
  text: string;
  complete: boolean;
}

const readLines = <T>(path: string): T[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

const writeLines = (path: string, rows: readonly unknown[]) =>
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

async function sheets(run: string, out: string, parts: number): Promise<void> {
  const folder = runFolder(run);
  const recipe = recipeSchema.parse(parse(readFileSync(folder.recipe, 'utf8')));
  const { documents } = await readCollected(recipe, folder);
  const generations = readLines<Generation>(join(folder.validation, 'generations.jsonl'));
  const texts = generations.filter(({ stage }) => stage === 'reformulate');
  const shuffled = randomStream(recipe.seed, 'blind').shuffle(texts);
  const rows = shuffled.map((generation, i) => {
    const original = documents.get(generation.doc_id)!.text;
    const copied = copiedShare(generation.text, original) > COPIED_LIMIT;
    return { id: `t${String(i + 1).padStart(3, '0')}`, original, copied, generation };
  });
  mkdirSync(out, { recursive: true });
  for (let part = 0; part < parts; part++) {
    const sheet = rows.filter((_, i) => i % parts === part);
    writeLines(
      join(out, `sheet-${part + 1}.jsonl`),
      sheet.map(({ id, original, generation }) => ({ id, original, rewrite: generation.text })),
    );
  }
  writeLines(
    join(out, 'key.jsonl'),
    rows.map(({ id, copied, generation: { text: _text, ...rest } }) => ({ id, ...rest, copied })),
  );
  console.log(`${rows.length} texts in ${parts} sheets`);
}

function merge(out: string, target: string): void {
  const given = new Map<string, { score: number; analysis: string }>();
  for (const file of readdirSync(out).filter((name) => /^scores-\d+\.jsonl$/.test(name))) {
    for (const line of readLines<{ id: string; score: number; analysis: string }>(join(out, file)))
      given.set(line.id, line);
  }
  const rows = readLines<{ id: string; copied: boolean; complete: boolean }>(join(out, 'key.jsonl')).map(
    ({ id, copied, complete, ...rest }) => {
      const answer = given.get(id);
      const score =
        answer && Number.isInteger(answer.score) && answer.score >= 1 && answer.score <= 5 ? answer.score : null;
      const usable = score !== null && score >= 3 && !copied && complete;
      return { ...rest, score, copied, complete, usable, analysis: answer?.analysis ?? '' };
    },
  );
  writeLines(target, rows);
  console.log(`${rows.filter(({ score }) => score !== null).length} of ${rows.length} texts scored`);
}

const [command, ...rest] = process.argv.slice(2);
if (command === 'sheets') await sheets(rest[0]!, rest[1]!, Number(rest[2] ?? 4));
else if (command === 'merge') merge(rest[0]!, rest[1]!);
else throw new Error('Usage: blind-judging.ts sheets RUN OUT PARTS | merge OUT SCORES');
