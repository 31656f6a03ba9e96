/** Asks a few documents of a run for real, so that `mga plan` can tell what the others will cost. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentOf } from '../corpus/chunks.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { collectMaterial } from './collect.ts';
import type { CollectParts } from './collect-run.ts';
import { type Collected, type Material, readMaterial } from './collected.ts';

/**
 * Collects for `count` documents drawn by the recipe's seed, through the run's ledger: what was asked is paid once, and `collect`
 * skips it later. Asks directly where the recipe asks by batch, since a batch may take a day. Fixes no splits, and shows the judge
 * no canaries: those of the run are made of all its texts.
 *
 * @throws like `collect`
 */
export async function probe(
  recipe: Recipe,
  folder: RunFolder,
  count: number,
  context: RunContext,
  parts: CollectParts = {},
): Promise<Collected> {
  const temporary = mkdtempSync(join(tmpdir(), 'mga-probe-'));
  try {
    const direct = withoutBatches(recipe);
    const splits = existsSync(folder.splits) ? folder.splits : join(temporary, 'splits.json');
    const aside = { ...folder, splits, status: join(temporary, 'status.json') };
    const material = drawnPart(await readMaterial(direct, aside, context), count);
    return await collectMaterial(material, direct, aside, context, parts);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The first documents of an order that the seed fixes: a larger probe goes on from a smaller one. */
function drawnPart(material: Material, count: number): Material {
  const wholes = [...new Set([...material.documents.keys()].map(documentOf))];
  const drawn = new Set(randomStream(material.seed, 'probe').shuffle(wholes).slice(0, count));
  return {
    ...material,
    documents: new Map([...material.documents].filter(([id]) => drawn.has(documentOf(id)))),
    judgeTexts: material.judgeTexts.filter(({ docId }) => drawn.has(documentOf(docId))),
    judges: { ...material.judges, canaries: 0 },
  };
}

function withoutBatches(recipe: Recipe): Recipe {
  const direct = <T extends Recipe['teacher'] | undefined>(teacher: T): T => {
    if (teacher?.kind !== 'openai') return teacher;
    const providers = teacher.providers?.map((provider) => ({ ...provider, batch: false }));
    return { ...teacher, batch: false, ...(providers && { providers }) };
  };
  const { teacher, judge } = recipe;
  const judges = { ...judge, teacher: direct(judge.teacher), second: direct(judge.second) };
  return { ...recipe, teacher: direct(teacher), judge: judges };
}
