/** How many lanes share the work, and their opening. */

import { availableParallelism } from 'node:os';
import type { TypedArray } from '../graph/value.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { jointParameters } from '../model/joint-parameters.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import type { GenerationModel } from './decoder.ts';
import { type Lane, type LaneOptions, LocalLane } from './lane.ts';
import { WorkerLane } from './worker-lane.ts';

/** Fewer places a lane: its products would mostly pack weights. */
const LEAST_PLACES = 4;
/** A smaller model has written its texts before a second thread is up. */
const LEAST_BYTES = 16 * 2 ** 20;
/** Every further lane copies the weights; beyond this one lane takes all threads. */
const MOST_COPIED_BYTES = 2 ** 30;

/** How much is to be shared. */
export interface LaneWork {
  /** Places of all lanes together. */
  readonly places: number;
  /** Sequences to be written. */
  readonly sequences: number;
  /** Lanes, whatever the machine has. */
  readonly lanes?: number;
}

/**
 * The lanes of a model. Small operators gain little from more threads, sequences that are written apart nearly all: so each
 * lane has few threads (one, where places suffice), its own sessions and its own part of the places. The first works in the
 * caller's thread. How many threads a lane has does not depend on the sequences: kernels part their sums by it.
 */
export function openLanes(
  model: GenerationModel,
  options: Omit<LaneOptions, 'places'>,
  work: LaneWork,
  signal: AbortSignal,
): Lane[] {
  const threads = model.settings?.threads ?? availableParallelism();
  const copy = forwardModel(model);
  const most = mostLanes(model, modelBytes(copy), threads, work.places);
  const needed = Math.ceil(work.sequences / LEAST_PLACES);
  const count = work.lanes ?? Math.max(1, Math.min(most, needed));
  const lane = { ...copy, settings: { ...model.settings, threads: Math.floor(threads / most) } };
  return Array.from({ length: count }, (_, i) => {
    const places = Math.floor((work.places + i) / count);
    return new (i === 0 ? LocalLane : WorkerLane)(lane, { ...options, places }, signal);
  });
}

function mostLanes({ settings = {} }: GenerationModel, bytes: number, threads: number, places: number): number {
  const { device = 'cpu', profile } = settings;
  if (device !== 'cpu' || profile || bytes < LEAST_BYTES) return 1;
  const filled = Math.floor(places / LEAST_PLACES);
  return Math.max(1, Math.min(threads, filled, 1 + Math.floor(MOST_COPIED_BYTES / bytes)));
}

/** The model laid out as decoders read it, once for all lanes, and without what only training reads. */
function forwardModel({ model, adapter, ...rest }: GenerationModel): GenerationModel {
  const groups = Object.values(linearGroups(model.config));
  const joint = (layers: RuntimeModel['layers']) => layers.map((layer) => jointParameters(groups, layer));
  return {
    ...rest,
    model: { ...model, layers: joint(model.layers) },
    ...(adapter && { adapter: { ...adapter, layers: joint(adapter.layers) } }),
  };
}

/** Bytes of memory behind the model's tensors, each once. */
function modelBytes({ model, adapter }: GenerationModel): number {
  const { layers, normFinal, embedding, head } = model;
  const tensors = [...layers.flatMap((layer) => Object.values(layer)), normFinal, embedding, head];
  for (const layer of adapter?.layers ?? []) tensors.push(...Object.values(layer));
  const buffers = new Set(tensors.map(({ data }) => (data as TypedArray).buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
