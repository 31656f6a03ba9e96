import { expect, test } from 'vitest';
import { modelFamily } from './model-family.ts';

test.each([
  ['gpt-4.1-mini', 'OpenAI'],
  ['o3-mini', 'OpenAI'],
  ['meta-llama/Llama-3.3-70B-Instruct', 'Meta'],
  ['Qwen/QwQ-32B', 'Qwen'],
  ['qwen2.5:7b', 'Qwen'],
  ['google/gemma-3-27b-it', 'Google'],
  ['mistralai/Mixtral-8x7B', 'Mistral'],
  ['phi-4', 'Microsoft'],
])('modelFamily() knows %s', (name, family) => {
  expect(modelFamily(name)).toBe(family);
});

test('modelFamily() does not guess', () => {
  expect(modelFamily('house-model-2')).toBeUndefined();
});
