/** The real sentence embedder, from wherever this machine gets it. */

import { expect, test } from 'vitest';
import { findEmbedder } from '../../src/model/embedder.ts';

test('all-minilm-l6-v2 finds a paraphrase closer than another subject', async () => {
  const { embed } = await findEmbedder('all-minilm-l6-v2', { emit: () => {} });
  const [bees, hives, ships] = await embed([
    'Bees dance to tell each other where flowers are.',
    'The waggle dance of honeybees points to food.',
    'The harbour was dredged so that larger ships could berth.',
  ]);
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  expect(bees).toHaveLength(384);
  expect(cosine(bees!, hives!)).toBeGreaterThan(0.6);
  expect(cosine(bees!, ships!)).toBeLessThan(0.2);
});
