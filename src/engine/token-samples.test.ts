import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { sftRows, trainingFolder } from '../../test/train-setup.ts';
import { UserError } from '../foundation/errors.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { scoreTokens } from './score-tokens.ts';
import { tokenizeRows } from './token-samples.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));

describe('tokenizeRows()', () => {
  it('labels the completion and the token that ends it', async () => {
    const tokenizer = await loadTokenizer(base);
    const rows = sftRows(1);
    const { samples, tooLong } = tokenizeRows(rows, tokenizer, 1000);
    expect(tooLong).toBe(0);
    for (const [i, { id, docId, tokens, labelsFrom }] of samples.entries()) {
      expect([id, docId]).toEqual([rows[i]!.id, 'd0']);
      expect([...tokens.slice(0, labelsFrom)]).toEqual([...tokenizer.chatPrompt(rows[i]!.prompt)]);
      expect(tokenizer.eosTokenIds).toContain(tokens.at(-1));
      expect(tokenizer.decode([...tokens.slice(labelsFrom, -1)])).toBe(rows[i]!.completion[0]!.content);
    }
  });

  it('puts a distribution in the place of the score alone', async () => {
    const tokenizer = await loadTokenizer(base);
    const { levels } = scoreTokens(tokenizer);
    const [row] = sftRows(1);
    const judged = { ...row!, completion: [{ role: 'assistant' as const, content: '4' }] };
    // Rounded shares are made to add up to 1.
    const rows = [judged, { ...judged, id: 'soft', distribution: [0, 0, 0.25, 0.5, 0.245] }];
    const [hard, soft] = tokenizeRows(rows, tokenizer, 1000).samples;
    expect(hard).not.toHaveProperty('soft');
    expect(soft!.tokens).toEqual(hard!.tokens);
    expect(soft!.soft).toMatchObject({ at: hard!.tokens.lastIndexOf(levels[3]!), tokens: levels });
    expect(soft!.soft!.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 15);
    expect(() => tokenizeRows([{ ...row!, distribution: [0, 0, 0, 0, 1] }], tokenizer, 1000)).toThrow(UserError);
  });

  it('leaves out rows of too many tokens', async () => {
    const tokenizer = await loadTokenizer(base);
    const rows = sftRows(2);
    const lengths = tokenizeRows(rows, tokenizer, 1000).samples.map(({ tokens }) => tokens.length);
    const limit = Math.max(...lengths) - 1;
    const { samples, tooLong } = tokenizeRows(rows, tokenizer, limit);
    expect(samples.length + tooLong).toBe(4);
    expect(tooLong).toBe(lengths.filter((length) => length > limit).length);
  });
});
