import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSplits } from '../src/corpus/splits.ts';
import { recipeDocs } from '../src/recipe/docs.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { ROOT } from './source-files.ts';

const names = readdirSync(join(ROOT, 'recipes')).filter((name) => name.endsWith('.yaml'));

test.each(names)('recipes/%s loads, is named for its file, and finds its data', (name) => {
  const recipe = loadRecipe(`recipes/${name}`);
  expect(`${recipe.name}.yaml`).toBe(name);
  const { corpus, splits, collect, teacher } = recipe;
  const paths = [
    corpus.path,
    splits.file,
    collect.judgeTexts,
    teacher.kind === 'recorded' ? teacher.folder : undefined,
  ];
  expect(paths.filter((path) => path !== undefined && !existsSync(join(ROOT, path)))).toEqual([]);
  if (splits.file !== undefined) expect(readSplits(join(ROOT, splits.file)).validation.length).toBeGreaterThan(0);
});

test.each(names)('recipes/%s says in its header how to run it, how long it takes and what it costs', (name) => {
  const header = readFileSync(join(ROOT, 'recipes', name), 'utf8').split('\nname:')[0]!;
  expect(header).toMatch(/^# .*(mga run recipes\/|npm run)/ms);
  expect(header).toMatch(/Time: /);
  expect(header).toMatch(/Cost: /);
});

test('docs/recipe.md is what the schema says', async () => {
  await expect(recipeDocs()).toMatchFileSnapshot('../docs/recipe.md');
});
