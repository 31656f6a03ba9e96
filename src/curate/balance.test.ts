import { expect, test } from 'vitest';
import { dropBeyondBalance, type EmbedTexts } from './balance.ts';
import type { Decision } from './decision.ts';

/** A corner of a cube a kind, and a small step for each wording: what a sentence embedder does, without its weights. */
const KINDS = ['log', 'ode', 'letter'];
let asked: string[][] = [];
const embed: EmbedTexts = async (texts) => {
  asked.push([...texts]);
  return texts.map((text) => KINDS.map((kind, i) => Number(text.startsWith(kind)) + 0.01 * (text.length % (i + 3))));
};

const decision = (id: string, genre: string, score: number, split: 'train' | 'dev' = 'train'): Decision => ({
  candidate: {
    row: { id, doc_id: id, stage: 'reformulate', prompt: [], completion: [], genre, audience: 'log readers' },
    split,
    text: id,
    source: '',
    score,
    origin: 'teacher',
  },
});

/** 8 logs, of which 3 score 5; 2 odes; 2 letters. */
const mixed = () => [
  ...Array.from({ length: 8 }, (_, i) => decision(`l${i}`, `log ${'x'.repeat(i % 3)}`, i % 3 === 0 ? 5 : 4)),
  ...['o1', 'o2'].map((id) => decision(id, 'ode', 4)),
  ...['e1', 'e2'].map((id) => decision(id, 'letter', 4)),
];
const settings = { embedder: 'none', clusters: 3, most: 1.25 };

test('dropBeyondBalance() caps a cluster at its share, keeps the best scored, and says why', async () => {
  asked = [];
  const decisions = mixed();
  await dropBeyondBalance(decisions, { ...settings, most: 1 }, 1, embed);
  const dropped = decisions.filter((one) => one.dropped);
  // 12 samples in 3 clusters: 4 of the logs stay, the three that score 5 among them.
  expect(dropped.map(({ candidate }) => candidate.row.id[0])).toEqual(['l', 'l', 'l', 'l']);
  expect(dropped.every(({ candidate }) => candidate.score === 4)).toBe(true);
  expect(dropped[0]!.dropped).toEqual({
    rule: 'balance',
    reason: expect.stringMatching(/^its genre is one of 8 like "log x*"; 4 of them are kept$/),
  });
  // Equal texts are embedded once; the audiences of what is left are all one, so that nothing can be dropped for them.
  expect(asked.map((texts) => texts.length)).toEqual([5, 1]);
});

test('dropBeyondBalance() draws equals by seed, and leaves dev samples and dropped ones alone', async () => {
  const outcome = async (seed: number) => {
    const decisions = [...mixed(), decision('d1', 'log', 4, 'dev')];
    decisions[8]!.dropped = { rule: 'score', reason: 'score 3 is below 4' };
    await dropBeyondBalance(decisions, settings, seed, embed);
    expect(decisions[8]!.dropped.rule).toBe('score');
    expect(decisions.at(-1)!.dropped).toBeUndefined();
    return decisions.flatMap(({ candidate, dropped }) => (dropped?.rule === 'balance' ? candidate.row.id : []));
  };
  // 11 samples: floor(1.25 * 11 / 3) logs stay.
  expect(await outcome(1)).toHaveLength(4);
  expect(await outcome(1)).toEqual(await outcome(1));
  const draws = await Promise.all([1, 2, 3, 4, 5, 6].map(outcome));
  expect(new Set(draws.map(String)).size).toBeGreaterThan(1);
});

test('dropBeyondBalance() asks for no vectors where no sample has a genre', async () => {
  asked = [];
  const { candidate } = decision('p', 'log', 5);
  const { genre: _, audience: __, ...row } = candidate.row;
  await dropBeyondBalance([{ candidate: { ...candidate, row } }], settings, 1, embed);
  expect(asked).toEqual([]);
});
