import { describe, expect, it } from 'vitest';
import { UserError } from '../foundation/errors.ts';
import type { ModelConfig } from '../model/config.ts';
import { plainWiring } from '../model/families/llama.ts';
import { describeMemory, type MemoryNeeds, planMemory, trainingBytes } from './memory-plan.ts';

const SMOLLM2: ModelConfig = {
  ...plainWiring(64, { theta: 100_000, scaling: undefined }),
  family: 'llama',
  vocabSize: 49_152,
  hiddenSize: 576,
  intermediateSize: 1536,
  layers: 30,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  normEpsilon: 1e-5,
  tieEmbeddings: true,
  maxPositions: 8192,
  bosTokenId: 1,
  eosTokenIds: [2],
};
const needs: MemoryNeeds = { config: SMOLLM2, method: 'lora', precision: 'w8a8', rank: 16, rows: 3072, lanes: 1 };

describe('planMemory()', () => {
  it('keeps all layers where there is room, and as many as fit where there is less', () => {
    const roomy = planMemory(needs, 16e9, 'writer');
    expect(roomy).toEqual({ keptLayers: 30, lanes: 1, rows: 3072, bytes: trainingBytes(needs, 30) });
    const tight = planMemory(needs, 2.5e9, 'writer');
    expect(tight.keptLayers).toBeGreaterThan(5);
    expect(tight.keptLayers).toBeLessThan(30);
    expect(tight.bytes).toBeLessThanOrEqual(2.5e9);
    expect(trainingBytes(needs, tight.keptLayers + 1)).toBeGreaterThan(2.5e9);
  });

  it('needs 20.7 kB a row and layer kept: 5,184 floats of the 135M shape', () => {
    expect(trainingBytes(needs, 20) - trainingBytes(needs, 19)).toBe(4 * 5184 * 3072);
  });

  it('counts all weights four times where all are trained: gradients and two moments', () => {
    const full: MemoryNeeds = { ...needs, method: 'full', precision: 'f32' };
    const more = trainingBytes(full, 0) - trainingBytes({ ...needs, precision: 'f32', rank: 0 }, 0);
    const [all, layer, table] = [134_515_008, 3_538_944, 49_152 * 576];
    expect(more).toBe(4 * (3 * all + layer + table));
    expect(() => planMemory(full, 2e9, 'writer')).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/, or set train.method to lora$/) }),
    );
  });

  it('gives each lane a copy of the weights, and takes fewer lanes where they do not fit', () => {
    const two: MemoryNeeds = { ...needs, lanes: 2 };
    const [linears, all] = [30 * 3_538_944, 134_515_008];
    expect(trainingBytes(two, 30) - trainingBytes(needs, 30)).toBe(0.45e9 + 2 * linears + 4 * (all - linears));
    expect(planMemory(two, 16e9, 'writer').lanes).toBe(2);
    const tight = planMemory(two, trainingBytes(two, 0) - 1, 'writer');
    expect(tight.lanes).toBe(1);
    expect(tight.keptLayers).toBeGreaterThan(0);
  });

  it('refuses what cannot fit, and names what would', () => {
    const refused = () => planMemory(needs, 1.4e9, 'writer');
    expect(refused).toThrow(UserError);
    expect(refused).toThrow('Cannot train writer in 1.40 GB');
    const fitting = Math.ceil(trainingBytes(needs, 0) / 1e7) * 1e7;
    expect(planMemory(needs, fitting, 'writer').keptLayers).toBe(0);
    try {
      refused();
    } catch (error) {
      const { hint } = error as UserError;
      expect(hint).toContain(`train.memory ${(fitting / 1e9).toFixed(2)}`);
      const rows = Number(/exceed (\d+)/.exec(hint!)![1]);
      expect(planMemory({ ...needs, rows }, 1.4e9, 'writer').keptLayers).toBe(0);
    }
  });
});

describe('describeMemory()', () => {
  it('says how much, and what is computed again', () => {
    expect(describeMemory({ keptLayers: 30, lanes: 1, rows: 1, bytes: 3.46e9 }, SMOLLM2)).toBe(
      'about 3.5 GB of memory; all layers keep their activations',
    );
    expect(describeMemory({ keptLayers: 12, lanes: 1, rows: 1, bytes: 2.5e9 }, SMOLLM2)).toBe(
      'about 2.5 GB of memory; 18 of 30 layers compute activations again',
    );
  });
});
