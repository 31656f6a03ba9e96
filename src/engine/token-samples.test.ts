import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { sftRows, trainingFolder } from '../../test/train-setup.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
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
