/**
 * Runs a model over packed tokens, layer by layer, forward and backward. The step is this loop; each part of it is a graph
 * of onnxruntime with the layer's weights as inputs. Token-wise graphs run in row blocks that stay in the cache.
 */

import type { DType, Tensor } from '../graph/value.ts';
import {
  afterBackward,
  afterForward,
  attentionBackward,
  attentionForward,
  beforeBackward,
  beforeForward,
  type GraphPart,
  headGraph,
} from '../model/layer-graphs.ts';
import type { LinearSettings } from '../model/linear.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import type { SessionSettings } from '../onnx/session.ts';
import { GraphCache } from './graph-cache.ts';
import type { Packed, Segment } from './pack.ts';

export type Floats = Float32Array | Float64Array;
/** Parameters of one layer's adapter by graph input name. */
export type LayerAdapter = Readonly<Record<string, Tensor>>;

export interface EngineSettings extends SessionSettings {
  readonly lora?: { readonly rank: number; readonly scale: number };
  /** float64 serves the tests. */
  readonly dtype?: 'float32' | 'float64';
  /** Layers (from the last) that keep what their backward needs; the others compute it again. Default: all. */
  readonly keptLayers?: number;
}

/** Rows a token-wise graph sees at once: its widest tensor (rows x 2 intermediate) should stay in the cache. */
const ROW_BLOCK = 256;
/** Query rows a block of attention. */
const ATTENTION_BLOCK = 128;
/** Masked scores; finite, so that no NaN can arise from a difference. */
const MASKED = -1e9;
/** Logits a head block may hold (64 MB of f32). */
const HEAD_LOGITS = 2 ** 24;

interface LayerState {
  readonly x: Floats;
  q?: Floats;
  k?: Floats;
  v?: Floats;
  o?: Floats;
  /** By row block. */
  middle?: Tensor[];
  gateUp?: Tensor[];
}

export interface ForwardState {
  readonly packed: Packed;
  readonly layers: readonly LayerState[];
  /** The last layer's output `[rows, hidden]`, before the final norm. */
  readonly hidden: Floats;
}

export class Engine {
  readonly model: RuntimeModel;
  readonly cache: GraphCache;
  private readonly settings: EngineSettings;
  private readonly linears: LinearSettings;
  private readonly dtype: 'float32' | 'float64';
  private readonly mask: Tensor;

  constructor(model: RuntimeModel, settings: EngineSettings = {}) {
    this.model = model;
    this.settings = settings;
    this.dtype = settings.dtype ?? 'float32';
    this.cache = new GraphCache(this.dtype === 'float64' ? { ...settings, optimization: 'basic' } : settings);
    this.linears = {
      precision: model.precision,
      dtype: this.dtype,
      ...(settings.lora ? { lora: settings.lora } : {}),
    };
    const mask = this.floats(ATTENTION_BLOCK ** 2);
    for (let i = 0; i < ATTENTION_BLOCK; i++) mask.fill(MASKED, i * ATTENTION_BLOCK + i + 1, (i + 1) * ATTENTION_BLOCK);
    this.mask = this.tensor(mask, [ATTENTION_BLOCK, ATTENTION_BLOCK]);
  }

  /** Through all layers. With `keep`, the state holds what backward needs. */
  async forward(packed: Packed, adapters: readonly LayerAdapter[], keep: boolean): Promise<ForwardState> {
    const { config } = this.model;
    const rotary = this.rotaryTables(packed.positions);
    const firstKept = keep ? config.layers - (this.settings.keptLayers ?? config.layers) : config.layers;
    let x = this.embed(packed.tokens);
    const layers: LayerState[] = [];
    for (let layer = 0; layer < config.layers; layer++) {
      const state: LayerState = { x };
      const y = await this.layerForward(layer, state, packed, rotary, adapters[layer] ?? {}, layer >= firstKept);
      if (keep) layers.push(layer >= firstKept ? state : { x });
      x = y;
    }
    return { packed, layers, hidden: x };
  }

  /**
   * From the gradient at the last layer's output to the adapters'. Adds to `grads[layer][name]`.
   *
   * @param dy gradient of the loss with respect to `state.hidden`
   */
  async backward(
    state: ForwardState,
    dy: Floats,
    adapters: readonly LayerAdapter[],
    grads: readonly Record<string, Floats>[],
  ): Promise<void> {
    const rotary = this.rotaryTables(state.packed.positions);
    let gradient = dy;
    for (let layer = this.model.config.layers - 1; layer >= 0; layer--) {
      const layerState = state.layers[layer]!;
      const adapter = adapters[layer] ?? {};
      if (!layerState.q) await this.layerForward(layer, layerState, state.packed, rotary, adapter, true);
      gradient = await this.layerBackward(layer, layerState, state.packed, rotary, adapter, gradient, grads[layer]!);
      for (const key of ['q', 'k', 'v', 'o', 'middle', 'gateUp'] as const) delete layerState[key];
    }
  }

  /**
   * Cross-entropy of the packed targets.
   *
   * @param weights of each target in the summed loss; absent: no gradient
   * @returns the loss of each target in nats, and the gradient at the last layer's output
   */
  async loss(state: ForwardState, weights?: readonly number[]): Promise<{ losses: Floats; dy?: Floats }> {
    const { config, head, normFinal } = this.model;
    const { hiddenSize, vocabSize } = config;
    const { targets, rows } = state.packed;
    const most = Math.max(32, Math.min(ROW_BLOCK, 2 ** Math.floor(Math.log2(HEAD_LOGITS / vocabSize))));
    const losses = this.floats(targets.length);
    const dy = weights ? this.floats(rows * hiddenSize) : undefined;
    for (let start = 0; start < targets.length; start += most) {
      const block = targets.slice(start, start + most);
      const size = Math.min(most, Math.ceil(block.length / 32) * 32);
      const h = this.floats(size * hiddenSize);
      const labels = new BigInt64Array(size);
      const weight = this.floats(size);
      for (const [i, { row, label }] of block.entries()) {
        h.set(state.hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize), i * hiddenSize);
        labels[i] = BigInt(label);
        weight[i] = weights?.[start + i] ?? 0;
      }
      const backward = weights !== undefined;
      const out = await this.cache.run(
        `head ${size} ${backward}`,
        () => headGraph(config, size, backward, this.dtype),
        {
          h: this.tensor(h, [size, hiddenSize]),
          labels: { dtype: 'int64', shape: [size], data: labels },
          weight: this.tensor(weight, [size, 1]),
          head,
          normFinal,
        },
      );
      losses.set((out.loss!.data as Floats).subarray(0, block.length), start);
      if (!dy) continue;
      const dh = out['grad.h']!.data as Floats;
      for (const [i, { row }] of block.entries()) addRow(dy, row * hiddenSize, dh, i * hiddenSize, hiddenSize);
    }
    return dy ? { losses, dy } : { losses };
  }

  release(): Promise<void> {
    return this.cache.release();
  }

  private async layerForward(
    layer: number,
    state: LayerState,
    packed: Packed,
    rotary: Rotary,
    adapter: LayerAdapter,
    keep: boolean,
  ): Promise<Floats> {
    const { config } = this.model;
    const { hiddenSize, heads, kvHeads, headDim } = config;
    const feeds = { ...this.model.layers[layer]!, ...adapter };
    const q = this.floats(packed.rows * heads * headDim);
    const k = this.floats(packed.rows * kvHeads * headDim);
    const v = this.floats(packed.rows * kvHeads * headDim);
    for (const { start, rows } of rowBlocks(packed.rows)) {
      const out = await this.cache.run(`before-forward ${rows}`, () => beforeForward(config, rows, this.linears), {
        ...feeds,
        ...this.rotaryRows(rotary, start, rows),
        x: this.rows(state.x, start, rows, hiddenSize),
      });
      q.set(out.q!.data as Floats, start * heads * headDim);
      k.set(out.k!.data as Floats, start * kvHeads * headDim);
      v.set(out.v!.data as Floats, start * kvHeads * headDim);
    }
    const o = this.floats(q.length);
    for (const segment of packed.segments) {
      const { rows, prefixRows } = segment;
      const out = await this.cache.run(
        `attention-forward ${rows} ${prefixRows}`,
        () => attentionForward(config, rows, prefixRows, ATTENTION_BLOCK, this.dtype),
        this.attentionFeeds(segment, q, k, v),
      );
      o.set(out.o!.data as Floats, segment.start * heads * headDim);
    }
    const y = this.floats(state.x.length);
    const middle: Tensor[] = [];
    const gateUp: Tensor[] = [];
    for (const { start, rows } of rowBlocks(packed.rows)) {
      const build = (): GraphPart => afterForward(config, rows, this.linears, keep);
      const out = await this.cache.run(`after-forward ${rows} ${keep}`, build, {
        ...feeds,
        x: this.rows(state.x, start, rows, hiddenSize),
        o: this.rows(o, start, rows, heads * headDim),
      });
      y.set(out.y!.data as Floats, start * hiddenSize);
      if (!keep) continue;
      middle.push(out.middle!);
      gateUp.push(out.gateUp!);
    }
    if (keep) Object.assign(state, { q, k, v, o, middle, gateUp });
    return y;
  }

  private async layerBackward(
    layer: number,
    state: LayerState,
    packed: Packed,
    rotary: Rotary,
    adapter: LayerAdapter,
    dy: Floats,
    grads: Record<string, Floats>,
  ): Promise<Floats> {
    const { config } = this.model;
    const { hiddenSize, heads, kvHeads, headDim } = config;
    const feeds = { ...this.model.layers[layer]!, ...adapter };
    const { q, k, v, o } = state as Required<LayerState>;
    const flow = this.floats(dy.length);
    const dOut = this.floats(o.length);
    for (const [i, { start, rows }] of rowBlocks(packed.rows).entries()) {
      const out = await this.cache.run(
        `after-backward ${rows}`,
        () => afterBackward(config, rows, this.linears, true),
        {
          ...feeds,
          x: this.rows(state.x, start, rows, hiddenSize),
          o: this.rows(o, start, rows, heads * headDim),
          middle: state.middle![i]!,
          gateUp: state.gateUp![i]!,
          dy: this.rows(dy, start, rows, hiddenSize),
        },
      );
      flow.set(out['grad.x']!.data as Floats, start * hiddenSize);
      dOut.set(out['grad.o']!.data as Floats, start * heads * headDim);
      accumulate(grads, out);
    }
    const dq = this.floats(q.length);
    const dk = this.floats(k.length);
    const dv = this.floats(v.length);
    for (const segment of packed.segments) {
      const { start, rows, prefixStart, prefixRows } = segment;
      const out = await this.cache.run(
        `attention-backward ${rows} ${prefixRows}`,
        () => attentionBackward(config, rows, prefixRows, ATTENTION_BLOCK, this.dtype),
        {
          ...this.attentionFeeds(segment, q, k, v),
          o: this.rows(o, start, rows, heads * headDim),
          do: this.rows(dOut, start, rows, heads * headDim),
        },
      );
      dq.set(out['grad.q']!.data as Floats, start * heads * headDim);
      const width = kvHeads * headDim;
      for (const [sum, part] of [
        [dk, out['grad.k']!.data as Floats],
        [dv, out['grad.v']!.data as Floats],
      ] as const) {
        addRow(sum, prefixStart * width, part, 0, prefixRows * width);
        addRow(sum, start * width, part, prefixRows * width, rows * width);
      }
    }
    const dx = this.floats(dy.length);
    for (const { start, rows } of rowBlocks(packed.rows)) {
      const out = await this.cache.run(`before-backward ${rows}`, () => beforeBackward(config, rows, this.linears), {
        ...feeds,
        ...this.rotaryRows(rotary, start, rows),
        x: this.rows(state.x, start, rows, hiddenSize),
        dq: this.rows(dq, start, rows, heads * headDim),
        dk: this.rows(dk, start, rows, kvHeads * headDim),
        dv: this.rows(dv, start, rows, kvHeads * headDim),
        dx: this.rows(flow, start, rows, hiddenSize),
      });
      dx.set(out['grad.x']!.data as Floats, start * hiddenSize);
      accumulate(grads, out);
    }
    return dx;
  }

  /** q, k, v and mask of a segment; its prefix's keys and values come first. */
  private attentionFeeds({ start, rows, prefixStart, prefixRows }: Segment, q: Floats, k: Floats, v: Floats) {
    const { heads, kvHeads, headDim } = this.model.config;
    const width = kvHeads * headDim;
    const joined = (all: Floats): Tensor => {
      if (prefixRows === 0) return this.rows(all, start, rows, width);
      const data = this.floats((prefixRows + rows) * width);
      data.set(all.subarray(prefixStart * width, (prefixStart + prefixRows) * width));
      data.set(all.subarray(start * width, (start + rows) * width), prefixRows * width);
      return this.tensor(data, [prefixRows + rows, width]);
    };
    return { q: this.rows(q, start, rows, heads * headDim), k: joined(k), v: joined(v), mask: this.mask };
  }

  private embed(tokens: Int32Array): Floats {
    const { hiddenSize } = this.model.config;
    const table = this.model.embedding.data as Floats;
    const x = this.floats(tokens.length * hiddenSize);
    for (const [i, token] of tokens.entries()) {
      x.set(table.subarray(token * hiddenSize, (token + 1) * hiddenSize), i * hiddenSize);
    }
    return x;
  }

  /** cos and sin `[rows, headDim / 2]` of position * theta^(-2 i / d). */
  private rotaryTables(positions: Int32Array): Rotary {
    const { headDim, ropeTheta } = this.model.config;
    const half = headDim / 2;
    const cos = this.floats(positions.length * half);
    const sin = this.floats(positions.length * half);
    for (const [row, position] of positions.entries()) {
      for (let i = 0; i < half; i++) {
        const angle = position * ropeTheta ** ((-2 * i) / headDim);
        cos[row * half + i] = Math.cos(angle);
        sin[row * half + i] = Math.sin(angle);
      }
    }
    return { cos, sin };
  }

  private rotaryRows({ cos, sin }: Rotary, start: number, rows: number) {
    const half = this.model.config.headDim / 2;
    const part = (all: Floats) => this.tensor(all.subarray(start * half, (start + rows) * half), [rows, 1, half]);
    return { cos: part(cos), sin: part(sin) };
  }

  private floats(length: number): Floats {
    return this.dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  }

  private tensor(data: Floats, shape: readonly number[]): Tensor {
    return { dtype: this.dtype as DType, shape, data };
  }

  private rows(all: Floats, start: number, rows: number, width: number): Tensor {
    return this.tensor(all.subarray(start * width, (start + rows) * width), [rows, width]);
  }
}

interface Rotary {
  readonly cos: Floats;
  readonly sin: Floats;
}

function rowBlocks(rows: number): { start: number; rows: number }[] {
  return Array.from({ length: Math.ceil(rows / ROW_BLOCK) }, (_, i) => ({
    start: i * ROW_BLOCK,
    rows: Math.min(ROW_BLOCK, rows - i * ROW_BLOCK),
  }));
}

function addRow(sum: Floats, at: number, part: Floats, from: number, length: number): void {
  for (let i = 0; i < length; i++) sum[at + i]! += part[from + i]!;
}

function accumulate(grads: Record<string, Floats>, outputs: Record<string, Tensor>): void {
  for (const [name, sum] of Object.entries(grads)) {
    const part = outputs[`grad.${name}`];
    if (part) addRow(sum, 0, part.data as Floats, 0, sum.length);
  }
}
