import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertGguf } from './gguf-convert.ts';
import { cachedModelFolder, cachedOrigin } from './resolve-cache.ts';
import { writeTinyModel } from './tiny.ts';
import { loadTokenizer, type Tokenizer, type TokenizerMessage } from './tokenizer.ts';

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
interface Encodings {
  texts: string[];
  ids: number[][];
  decoded: string[];
}

const root = mkdtempSync(join(tmpdir(), 'mga-tokenizer-'));
const tinyFolder = join(root, 'tiny');
let tiny: Tokenizer;
beforeAll(async () => {
  writeTinyModel(tinyFolder);
  tiny = await loadTokenizer(tinyFolder);
});
afterAll(() => rmSync(root, { recursive: true }));

function expectSameAsGolden(tokenizer: Tokenizer, golden: Encodings): void {
  for (const [i, text] of golden.texts.entries()) {
    expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(golden.ids[i]);
    expect(tokenizer.decode(golden.ids[i]!)).toBe(golden.decoded[i]);
  }
}

/** A copy of the tiny model's tokenizer files with some settings changed. */
function withSettings(name: string, file: string, changes: Record<string, unknown>): string {
  const folder = join(root, name);
  writeTinyModel(folder);
  writeFileSync(join(folder, file), JSON.stringify({ ...read<object>(join(folder, file)), ...changes }));
  return folder;
}

describe('the tokenizer of a GGUF', () => {
  const golden = read<Encodings>('test/golden/model/gguf.json');

  test('encodes and decodes as the Rust tokenizers do', async () => {
    await convertGguf('test/golden/model/tiny.gguf', join(root, 'gguf'));
    expectSameAsGolden(await loadTokenizer(join(root, 'gguf')), golden);
  });

  test('does so too where tokenizer.json has the steps as the hub writes them', async () => {
    const path = join(root, 'gguf', 'tokenizer.json');
    const steps = [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    ];
    const json = { ...read<object>(path), pre_tokenizer: { type: 'Sequence', pretokenizers: steps } };
    writeFileSync(path, JSON.stringify(json));
    expectSameAsGolden(await loadTokenizer(join(root, 'gguf')), golden);
  });
});

const realFolder = cachedModelFolder('HuggingFaceTB--SmolLM2-135M-Instruct');
describe.skipIf(cachedOrigin(realFolder) === undefined)('the tokenizer of SmolLM2, where it is cached', () => {
  const golden = read<Encodings & { chats: { messages: TokenizerMessage[]; tokens: number[] }[] }>(
    'test/golden/model/smollm2-135m-instruct.json',
  );

  test('encodes and decodes as the Rust tokenizers do', async () => {
    expectSameAsGolden(await loadTokenizer(realFolder), golden);
  });

  test('renders chats as transformers does', async () => {
    const tokenizer = await loadTokenizer(realFolder);
    for (const { messages, tokens } of golden.chats) {
      const answer = messages.at(-1)!.role === 'assistant' ? messages.slice(-1) : [];
      const prompt = messages.slice(0, messages.length - answer.length);
      if (answer.length === 0) expect(tokenizer.chatPrompt(prompt)).toEqual(tokens);
      else expect(tokenizer.chatSample(prompt, answer).tokens).toEqual(tokens.slice(0, -1));
    }
  });
});

test('encode() of the tiny tokenizer is the bytes, and decode() gives the text back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const ids = tiny.encode(text);
      expect(ids).toEqual([...Buffer.from(text)]);
      expect(tiny.decode(ids)).toBe(text);
    }),
  );
});

test('chatSample() ends with the end token, and begins with chatPrompt()', () => {
  const prompt = [{ role: 'user' as const, content: 'Hi' }];
  const { tokens, promptLength } = tiny.chatSample(prompt, [{ role: 'assistant', content: 'Yes.\n' }]);
  expect(tokens.slice(0, promptLength)).toEqual(tiny.chatPrompt(prompt));
  expect(tokens.slice(promptLength)).toEqual([...Buffer.from('Yes.\n'), 258]);
  expect(tiny.decode(tokens.slice(promptLength))).toBe('Yes.\n');
  expect(tiny.eosTokenIds).toEqual([258]);
  expect(tiny.padTokenId).toBe(259);
});

test('chatSample() gives the samples the golden losses were recorded on', () => {
  const { samples } = read<{
    samples: { prompt: string; completion: string; tokens: number[]; promptLength: number }[];
  }>('test/golden/model/losses.json');
  for (const { prompt, completion, tokens, promptLength } of samples) {
    const sample = tiny.chatSample([{ role: 'user', content: prompt }], [{ role: 'assistant', content: completion }]);
    expect(sample).toEqual({ tokens, promptLength });
  }
});

const answer: [TokenizerMessage[], TokenizerMessage[]] = [
  [{ role: 'user', content: 'Hi' }],
  [{ role: 'assistant', content: 'Yes' }],
];
test.each([
  [
    'is no prefix',
    "{{ messages | length }}{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}",
    'do not begin with those of its prompt',
  ],
  ['has no end', "{% for m in messages %}{{ m['content'] }}{% endfor %}", 'does not end an answer with an end token'],
  [
    'goes on after the end',
    "{% for m in messages %}{{ m['content'] }}<|im_end|>+{% endfor %}",
    'does not end an answer with an end token',
  ],
])('chatSample() refuses a template that %s', async (name, template, message) => {
  const folder = withSettings(name.replaceAll(' ', '-'), 'tokenizer_config.json', { chat_template: template });
  const tokenizer = await loadTokenizer(folder);
  expect(() => tokenizer.chatSample(...answer)).toThrow(message);
});

test('loadTokenizer() prefers chat_template.jinja', async () => {
  const folder = withSettings('jinja', 'tokenizer_config.json', { chat_template: undefined });
  await expect(loadTokenizer(folder)).rejects.toThrow('tokenizer_config.json has no chat_template');
  writeFileSync(join(folder, 'chat_template.jinja'), "{% for m in messages %}{{ m['content'] }}<|im_end|>{% endfor %}");
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.chatSample(...answer)).toEqual({ tokens: [72, 105, 258, 89, 101, 115, 258], promptLength: 3 });
});

test('loadTokenizer() takes the end tokens of generation_config.json', async () => {
  const folder = withSettings('ends', 'generation_config.json', { eos_token_id: [258, 256] });
  expect((await loadTokenizer(folder)).eosTokenIds).toEqual([258, 256]);
});

test('loadTokenizer() names the file that is missing', async () => {
  await expect(loadTokenizer(root)).rejects.toThrow(`Cannot read ${join(root, 'tokenizer.json')}`);
});
