/** What every part of a pass through the layers needs, and what a layer leaves for its backward. */

import type { Tensor } from '../graph/value.ts';
import type { LinearSettings } from '../model/linear.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Floats, FloatType } from './floats.ts';
import type { Heads } from './heads.ts';
import type { SharedInputs } from './lane.ts';
import type { Lanes } from './lanes.ts';
import type { Packed } from './pack.ts';
import type { RotaryTables } from './rotary-tables.ts';

/** Parameters of one layer's adapter by graph input name. */
export type LayerAdapter = Readonly<Record<string, Tensor>>;

export interface EngineContext {
  readonly model: RuntimeModel;
  readonly lanes: Lanes;
  readonly pool: BufferPool;
  readonly dtype: FloatType;
  readonly linears: LinearSettings;
}

/** One layer of one pass. */
export interface LayerPass {
  readonly packed: Packed;
  readonly rotary: RotaryTables;
  /** Tokens the layer sees; undefined: all. */
  readonly window: number | undefined;
  /** Graph inputs that are the layer's own: its weights and its adapter; and the causal mask. */
  readonly inputs: SharedInputs;
  readonly state: LayerState;
}

/** A matrix of all rows that tasks fill, block by block. */
export interface BlockedRows {
  readonly data: Floats;
  /** Of each row block, when its rows are there; empty: they all are. */
  readonly ready: readonly Promise<void>[];
}

/** What a layer that was started leads to. */
export interface LayerRun {
  readonly rows: BlockedRows;
  /** When all its tasks are over and what they used for themselves is given back. */
  readonly done: Promise<void>;
}

export interface LayerState {
  /** The layer's input `[rows, hidden]`. */
  readonly x: Floats;
  /** Absent where backward computes it again. */
  kept?: KeptActivations;
}

export interface KeptActivations {
  readonly q: Heads;
  readonly k: Heads;
  readonly v: Heads;
  readonly o: Heads;
  readonly middle: Floats;
  readonly gate: Floats;
  readonly up: Floats;
}

/** Rows a token-wise graph sees at once: its widest tensor (rows x intermediate) should stay in the cache. */
export const ROW_BLOCK = 256;
/** Those of `blocks`, one a row block, in which rows `start` to `start + rows` lie. */
export function blocksOf<T>(blocks: readonly T[], start: number, rows: number): T[] {
  return blocks.slice(Math.floor(start / ROW_BLOCK), Math.ceil((start + rows) / ROW_BLOCK));
}

export function rowBlocks(rows: number): { start: number; rows: number }[] {
  return Array.from({ length: Math.ceil(rows / ROW_BLOCK) }, (_, i) => ({
    start: i * ROW_BLOCK,
    rows: Math.min(ROW_BLOCK, rows - i * ROW_BLOCK),
  }));
}
