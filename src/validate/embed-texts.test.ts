import { describe, expect, it } from 'vitest';
import type { Embedder } from '../model/embedder.ts';
import { pairsStage } from '../stage/pairs.ts';
import { embedTexts, kindTexts, MAX_TEXTS } from './embed-texts.ts';
import type { GenerationLine } from './generations.ts';
import { withPairsSpread } from './pairs-spread.ts';

/** Embeds a text of numbers as that vector, at length 1; other texts by the letters they begin with. */
const embedder: Embedder = {
  name: 'fake',
  source: 'test',
  sha256: '0',
  embed: async (texts) =>
    texts.map((text) => {
      const numbers = text.split(' ').map(Number);
      const vector = numbers.every(Number.isFinite) ? numbers : [text.length, text.charCodeAt(0) - 90, 1];
      const norm = Math.hypot(...vector);
      return Float32Array.from(vector, (value) => value / norm);
    }),
};
const options = { seed: 1, resamples: 100 };

const line = (arm: string, docId: string, text: string) =>
  ({
    arm,
    model: arm,
    stage: 'reformulate',
    doc_id: docId,
    item: `${docId}/1`,
    text,
    complete: true,
  }) as GenerationLine;

describe('kindTexts()', () => {
  it('holds sources, answers and prompt variants of the same documents, and no empty text', () => {
    const documents = new Map(['a', 'b', 'c'].map((id) => [id, { id, text: `source ${id}` }]));
    const judgeTexts = [
      { id: 's', docId: 'a', text: 'strict text', kind: 'strict' },
      { id: 'f', docId: 'a', text: 'flawed text', kind: 'flawed' },
      { id: 'r', docId: 'c', text: 'of another document', kind: 'relaxed' },
    ];
    const lines = [line('teacher', 'a', 'taught'), line('student', 'a', ' '), line('student', 'b', 'learnt')];
    const texts = kindTexts(lines, { documents, judgeTexts } as unknown as Parameters<typeof kindTexts>[1]);
    expect(texts.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'source: source a',
      'source: source b',
      'teacher: taught',
      'student: learnt',
      'strict: strict text',
    ]);
  });
});

describe('embedTexts()', () => {
  const texts = ['a', 'b', 'c', 'd'].flatMap((doc_id, i) => [
    { kind: 'source', item: doc_id, doc_id, text: i % 2 === 0 ? '1 0 0' : '0 1 0' },
    { kind: 'echo', item: `${doc_id}/1`, doc_id, text: i % 2 === 0 ? '1 0 0' : '0 1 0' },
    { kind: 'astray', item: `${doc_id}/2`, doc_id, text: '0 0 1' },
  ]);

  it('measures likeness to the own source and spread, and places every text twice', async () => {
    const made = (await embedTexts(texts, embedder, options))!;
    const of = (kind: string, name: string) => made.kinds.find((one) => one.kind === kind)!.measures[name]?.mean;
    expect(of('source', 'similarity_to_source')).toBeUndefined();
    expect(of('echo', 'similarity_to_source')).toBeCloseTo(1);
    expect(of('astray', 'similarity_to_source')).toBeCloseTo(0);
    expect(of('astray', 'spread')).toBeCloseTo(0);
    expect(of('echo', 'spread')).toBeCloseTo(1 - Math.SQRT1_2);
    expect(made.points).toHaveLength(12);
    expect(made.points.flatMap(({ tsne, umap }) => [...tsne, ...umap]).every(Number.isFinite)).toBe(true);
  });

  it('draws whole documents where there are too many texts, and makes nothing of a few', async () => {
    const many = Array.from({ length: 2 * MAX_TEXTS }, (_, i) => ({ ...texts[i % 3]!, doc_id: `d${i >> 2}` }));
    const seen: number[] = [];
    const counting: Embedder = {
      ...embedder,
      embed: (own) => {
        seen.push(own.length);
        return Promise.reject(new Error('counted'));
      },
    };
    await expect(embedTexts(many, counting, options)).rejects.toThrow('counted');
    expect(seen).toEqual([MAX_TEXTS]);
    expect(await embedTexts(texts.slice(0, 6), embedder, options)).toBeUndefined();
  });
});

describe('withPairsSpread()', () => {
  it('tells pairs that differ from pairs that say the same, and leaves invalid answers alone', async () => {
    const answer = (of: (i: number) => string) =>
      pairsStage.completion(
        [0, 1, 2, 3, 4].map((i) => ({ genre: `${of(i)} genre text number ${i}`, audience: `Readers number ${i}` })),
      );
    const lines = [answer((i) => 'abcde'[i]!), answer(() => 'x'), 'no pairs'].map((text) => line('student', 'a', text));
    const items = lines.map(({ arm, model, stage, doc_id, item }) => ({
      arm,
      model,
      stage,
      doc_id,
      item,
      score: null,
    }));
    const spreads = (await withPairsSpread(items, lines, embedder, {})).map((item) => item.measures?.embedding_spread);
    expect(spreads[0]).toBeGreaterThan(spreads[1]!);
    expect(spreads[1]).toBeCloseTo(0, 6);
    expect(spreads[2]).toBeUndefined();
  });
});
