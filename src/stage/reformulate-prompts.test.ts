import { expect, test } from 'vitest';
import { contentHash } from '../foundation/hash.ts';
import { REFORMULATE_PROMPTS } from '../recipe/reformulate-prompt-names.ts';
import { reformulateStageWith } from './reformulate.ts';

const input = { document: { id: 'a', text: 'Bees dance.' }, pair: { genre: 'Ode.', audience: 'Bears.' } };

test('the base prompt is what recordings and ledgers were asked with', () => {
  expect(contentHash(reformulateStageWith('base').teacherPrompt(input))).toBe(
    '9544534f095ec7028c23e407cdbe58cc824f88ed00d7711d4de240126dac3ca3',
  );
});

test('every variant asks otherwise under a version of its own, the document first, the pair last', () => {
  const stages = REFORMULATE_PROMPTS.map(reformulateStageWith);
  expect(new Set(stages.map(({ promptVersion }) => promptVersion)).size).toBe(stages.length);
  for (const ask of ['teacherPrompt', 'studentPrompt'] as const) {
    const prompts = stages.map((stage) => stage[ask](input)[0]!.content);
    expect(new Set(prompts).size).toBe(stages.length);
    for (const prompt of prompts) {
      expect(prompt).toMatch(/^(<document-[0-9a-f]{16}>|Document:)\nBees dance\./);
      expect(prompt).toMatch(/Genre: Ode\.\nAudience: Bears\.$/);
    }
  }
});
