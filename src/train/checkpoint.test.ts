import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyAdapter, SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import { createAdapter } from '../model/adapter.ts';
import { loadCheckpoint, saveCheckpoint, type TrainingState } from './checkpoint.ts';
import { zeroMoments } from './step.ts';

const { config } = tinyWeights(SMALLEST);
const SIZE = { rank: 2, alpha: 4 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const stateAt = (step: number, inputHash = 'a'): TrainingState => ({
  step,
  inputHash,
  labels: 10 * step,
  tokens: 100 * step,
  seconds: step / 3,
  devLossBefore: null,
});

/** An adapter and moments full of numbers that f32 files must carry bit by bit. */
function busyState(seed: number) {
  const adapter = busyAdapter(config, SIZE, seed);
  const moments = zeroMoments(adapter);
  for (const layer of moments) {
    for (const { m, v } of Object.values(layer)) {
      m.forEach((_, i) => {
        m[i] = Math.sin(seed + i) / 3;
        v[i] = (Math.cos(seed + i) / 7) ** 2;
      });
    }
  }
  return { adapter, moments };
}

function load(inputHash = 'a') {
  const adapter = createAdapter(config, SIZE, 99);
  const moments = zeroMoments(adapter);
  const state = loadCheckpoint(folder, inputHash, adapter, moments);
  return { state, adapter, moments };
}

const checkpoints = () => readdirSync(folder).filter((name) => name.startsWith('checkpoint-'));

describe('loadCheckpoint()', () => {
  it('gives what saveCheckpoint() was given, and only the newest is kept', () => {
    for (const step of [8, 9, 10]) {
      const { adapter, moments } = busyState(step);
      saveCheckpoint(folder, stateAt(step), adapter, moments);
    }
    expect(load()).toEqual({ state: stateAt(10), ...busyState(10) });
    expect(checkpoints()).toEqual(['checkpoint-10']);
  });

  it('leaves alone what another version wrote', () => {
    const { adapter, moments } = busyState(3);
    saveCheckpoint(folder, stateAt(3), adapter, moments);
    const path = join(folder, 'checkpoint-3', 'state.json');
    const { version, ...state } = JSON.parse(readFileSync(path, 'utf8'));
    for (const other of [state, { ...state, version: version + 1 }]) {
      writeFileSync(path, JSON.stringify(other));
      expect(load().state).toBeUndefined();
    }
    writeFileSync(path, JSON.stringify({ ...state, version }));
    expect(load().state).toEqual(stateAt(3));
  });

  it('takes none of other inputs, and leaves adapter and moments as they were', () => {
    const { adapter, moments } = busyState(1);
    saveCheckpoint(folder, stateAt(5), adapter, moments);
    expect(load('b')).toEqual({
      state: undefined,
      adapter: createAdapter(config, SIZE, 99),
      moments: zeroMoments(adapter),
    });
  });

  it('overlooks one that was being written', () => {
    const { adapter, moments } = busyState(1);
    saveCheckpoint(folder, stateAt(5), adapter, moments);
    mkdirSync(join(folder, 'checkpoint-6.tmp'));
    writeFileSync(join(folder, 'checkpoint-6.tmp', 'state.json'), '{"step":');
    mkdirSync(join(folder, 'checkpoint-7'));
    expect(load().state?.step).toBe(5);
    saveCheckpoint(folder, stateAt(6), adapter, moments);
    expect(load().state?.step).toBe(6);
  });

  it('finds nothing in a folder that is not there', () => {
    const adapter = createAdapter(config, SIZE, 0);
    expect(loadCheckpoint(join(folder, 'none'), 'a', adapter, zeroMoments(adapter))).toBeUndefined();
  });
});
