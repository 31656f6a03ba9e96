import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { busyAdapter, tinyWeights } from '../../test/tiny-models.ts';
import { adapterScale, adapterSize, createAdapter } from './adapter.ts';
import { loadAdapter, saveAdapter } from './adapter-file.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const { config } = tinyWeights();
const folder = mkdtempSync(join(tmpdir(), 'mga-adapter-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('createAdapter()', () => {
  it('draws A within +-1/sqrt(inputs), and B zero', () => {
    for (const tensors of createAdapter(config, { rank: 4, alpha: 8 }, 1).layers) {
      for (const [name, { data, shape }] of Object.entries(tensors)) {
        const largest = Array.from(data, Number).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        const bound = name.endsWith('.A') ? 1 / Math.sqrt(shape[0]!) : 0;
        expect(largest, name).toBeLessThanOrEqual(bound);
        expect(largest, name).toBeGreaterThanOrEqual(0.9 * bound);
      }
    }
  });

  it('is a function of the seed, and differs from layer to layer', () => {
    const draw = (seed: number) => createAdapter(config, { rank: 4, alpha: 8 }, seed);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1).layers[0]).not.toEqual(draw(2).layers[0]);
    expect(draw(1).layers[0]!['qkv.A']).not.toEqual(draw(1).layers[1]!['qkv.A']);
  });
});

it('adapterScale() is alpha / rank, adapterSize() what PEFT counts', () => {
  const adapter = createAdapter(config, { rank: 4, alpha: 6 }, 0);
  expect(adapterScale(adapter)).toBe(1.5);
  // (inputs + outputs) a linear: q, k, v, o, gate, up, down.
  const sides = [64 + 64, 64 + 32, 64 + 32, 64 + 64, 64 + 160, 64 + 160, 160 + 64];
  expect(adapterSize(adapter)).toBe(2 * 4 * sides.reduce((a, b) => a + b));
});

describe('loadAdapter()', () => {
  const path = join(folder, 'adapter.safetensors');

  it('gives what saveAdapter() was given', () => {
    const adapter = busyAdapter(config, { rank: 3, alpha: 7.5 });
    saveAdapter(path, adapter);
    expect(loadAdapter(path, config)).toEqual(adapter);
  });

  it('refuses an adapter of another model', () => {
    saveAdapter(path, createAdapter({ ...config, kvHeads: 4 }, { rank: 2, alpha: 2 }, 0));
    expect(() => loadAdapter(path, config)).toThrow(/0\.qkv\.B\.k is \[2,64\], the model asks for \[2,32\]/);
    saveAdapter(path, createAdapter({ ...config, layers: 1 }, { rank: 2, alpha: 2 }, 0));
    expect(() => loadAdapter(path, config)).toThrow('1.qkv.A is missing');
  });

  it('refuses a file that is no adapter of ours', () => {
    saveAdapter(path, createAdapter(config, { rank: 2, alpha: 2 }, 0));
    writeSafetensors(path, readSafetensors(path));
    expect(() => loadAdapter(path, config)).toThrow('its metadata has no rank and alpha');
  });
});
