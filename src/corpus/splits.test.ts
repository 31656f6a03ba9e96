import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Recipe, recipeSchema } from '../recipe/schema.ts';
import { drawSplits, ensureSplits } from './splits.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-splits-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

function recipe(splits: unknown, limit?: number): Recipe {
  const file = join(folder, 'given.json');
  if (splits !== undefined) writeFileSync(file, JSON.stringify(splits));
  return recipeSchema.parse({
    name: 'r',
    corpus: { path: 'x', ...(limit === undefined ? {} : { limit }) },
    splits: splits === undefined ? { dev: 0.2, validation: 0.3 } : { file },
    teacher: { kind: 'recorded', folder: 'x' },
    students: [{ name: 's', stages: ['pairs'] }],
  });
}

describe('drawSplits()', () => {
  it('puts every document in exactly one split, by whole shares, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 60 }),
        fc.float({ min: 0, max: 0.5, noNaN: true }),
        fc.float({ min: 0, max: 0.5, noNaN: true }),
        fc.nat(),
        (documents, dev, validation, seed) => {
          const splits = drawSplits(documents, { dev, validation }, seed);
          expect([...splits.train, ...splits.dev, ...splits.validation].sort()).toEqual([...documents].sort());
          expect(splits.validation.length).toBe(Math.round(documents.length * validation));
          expect(drawSplits(documents, { dev, validation }, seed)).toEqual(splits);
        },
      ),
    );
  });

  it('keeps the chunks of a document together', () => {
    const chunked = ids.flatMap((id) => [`${id}#1`, `${id}#2`]);
    const { dev, validation } = drawSplits(chunked, { dev: 0.2, validation: 0.3 }, 1);
    const plain = drawSplits(ids, { dev: 0.2, validation: 0.3 }, 1);
    expect(dev).toEqual(plain.dev.flatMap((id) => [`${id}#1`, `${id}#2`]));
    expect(validation).toEqual(plain.validation.flatMap((id) => [`${id}#1`, `${id}#2`]));
  });

  it('differs between seeds', () => {
    const draw = (seed: number) => drawSplits(ids, { dev: 0.2, validation: 0.3 }, seed);
    expect(draw(1)).not.toEqual(draw(2));
  });
});

describe('ensureSplits()', () => {
  const given = { train: ['a', 'b'], dev: ['c'], validation: ['d', 'e'] };

  it('draws once and then keeps what was drawn, whatever the recipe says later', () => {
    const path = join(folder, 'splits.json');
    const first = ensureSplits(path, recipe(undefined), ids);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(first);
    expect(ensureSplits(path, { ...recipe(given), seed: 9 }, ids)).toEqual(first);
  });

  it('takes the file of the recipe, less what is beyond the limit', () => {
    expect(ensureSplits(join(folder, 'one.json'), recipe(given), ids)).toEqual(given);
    const limited = ensureSplits(join(folder, 'two.json'), recipe(given, 4), ids.slice(0, 4));
    expect(limited).toEqual({ ...given, validation: ['d'] });
  });

  it('means all chunks of a document that the file names', () => {
    const chunked = ['a', 'b#1', 'b#2', 'c', 'd', 'e'];
    expect(ensureSplits(join(folder, 'three.json'), recipe(given), chunked).train).toEqual(['a', 'b#1', 'b#2']);
  });

  it.each([
    ['a document in two splits', { ...given, dev: ['b'] }, /`b` is in train and again in dev/],
    ['a document twice in one', { ...given, train: ['a', 'a'] }, /`a` is in train and again in train/],
    ['an unknown document', { ...given, dev: ['z'] }, /`z` of dev is not in the corpus/],
    ['no training documents', { ...given, train: [] }, /no document is left for training/],
    ['another shape', { train: ['a'] }, /Cannot read splits/],
  ])('refuses %s', (_name, splits, message) => {
    expect(() => ensureSplits(join(folder, 'splits.json'), recipe(splits), ids)).toThrow(message);
  });
});
