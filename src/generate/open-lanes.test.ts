import { afterEach, expect, test, vi } from 'vitest';
import { tinyWeights } from '../../test/tiny-models.ts';
import { f32Model } from '../model/runtime-model.ts';
import type { GenerationModel } from './decoder.ts';
import type { LaneOptions } from './lane.ts';
import { openLanes } from './open-lanes.ts';

/** Model and options of each lane that was opened, without lanes. */
const opened = vi.hoisted((): { model: GenerationModel; options: LaneOptions }[] => []);
vi.mock('./lane.ts', () => ({ LocalLane: fakeLane('local') }));
vi.mock('./worker-lane.ts', () => ({ WorkerLane: fakeLane('worker') }));
function fakeLane(kind: string) {
  return class {
    readonly kind = kind;
    constructor(model: GenerationModel, options: LaneOptions) {
      opened.push({ model, options });
    }
  };
}
afterEach(() => {
  opened.length = 0;
});

const tiny = f32Model(tinyWeights());
/** A model that weighs `megabytes`. */
function weighing(megabytes: number, threads: number): GenerationModel {
  const head = {
    dtype: 'float32',
    shape: [1, megabytes * 2 ** 18],
    data: new Float32Array(megabytes * 2 ** 18),
  } as const;
  return { model: { ...tiny, head }, settings: { threads } };
}

const OPTIONS = { temperature: 0, topP: 1, repetitionPenalty: 1, penalizePrompt: false, logprobs: false };
/** Places of each lane, and the threads that each has. */
function shared(model: GenerationModel, places: number, sequences: number) {
  openLanes(model, OPTIONS, { places, sequences }, new AbortController().signal);
  const of = opened.splice(0);
  return {
    places: of.map(({ options }) => options.places),
    threads: of.map(({ model: { settings } }) => settings!.threads),
  };
}

test('places are shared among as many lanes as there are threads', () => {
  expect(shared(weighing(20, 2), 41, 100)).toEqual({ places: [20, 21], threads: [1, 1] });
  expect(shared(weighing(20, 3), 32, 100)).toEqual({ places: [10, 11, 11], threads: [1, 1, 1] });
});

test('a lane has four places or more, and what is left of the threads', () => {
  expect(shared(weighing(20, 8), 12, 100)).toEqual({ places: [4, 4, 4], threads: [2, 2, 2] });
  expect(shared(weighing(20, 2), 3, 100)).toEqual({ places: [3], threads: [2] });
});

test('few sequences take fewer lanes, with as many threads each as always', () => {
  expect(shared(weighing(20, 4), 32, 8)).toEqual({ places: [16, 16], threads: [1, 1] });
  expect(shared(weighing(20, 4), 32, 1)).toEqual({ places: [32], threads: [1] });
});

test('a small model stays in one lane, and a large one is not copied beyond a gigabyte', () => {
  expect(shared(weighing(1, 2), 32, 100)).toEqual({ places: [32], threads: [2] });
  expect(shared(weighing(600, 4), 32, 100)).toEqual({ places: [16, 16], threads: [2, 2] });
  expect(shared(weighing(1030, 2), 32, 100)).toEqual({ places: [32], threads: [2] });
});

test('weights are laid out for decoders before they are copied', () => {
  openLanes({ model: tiny }, OPTIONS, { places: 4, sequences: 1 }, new AbortController().signal);
  expect(Object.keys(opened[0]!.model.model.layers[0]!).sort()).toEqual(
    ['norm1', 'norm2', 'qkv.weight', 'o.weight', 'gateUp.weight', 'down.weight'].sort(),
  );
});
