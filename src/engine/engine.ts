/**
 * Runs a model over packed tokens, layer by layer, forward and backward. The step is this loop; each part of it is a graph
 * of onnxruntime with the layer's weights as inputs. Token-wise graphs run in row blocks that stay in the cache.
 */

import type { Tensor } from '../graph/value.ts';
import { layerAttention } from '../model/config.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import { causalMask } from './attention-feeds.ts';
import { BufferPool } from './buffer-pool.ts';
import { addEmbeddingGradient, embedTokens } from './embed.ts';
import type { Floats, FloatType } from './floats.ts';
import { type HeadLoss, headLoss } from './head-loss.ts';
import { type LaneSettings, laneCount } from './lane-count.ts';
import { Lanes } from './lanes.ts';
import { layerBackward } from './layer-backward.ts';
import type { BlockedRows, EngineContext, LayerAdapter, LayerPass, LayerState } from './layer-context.ts';
import { layerForward, returnKept } from './layer-forward.ts';
import type { Packed } from './pack.ts';
import { layerRotaries, type RotaryTables } from './rotary-tables.ts';

export type { Floats } from './floats.ts';
export type { LayerAdapter } from './layer-context.ts';

export interface EngineSettings extends LaneSettings {
  readonly lora?: { readonly rank: number; readonly scale: number };
  /** All weights of the model (f32, without an adapter) get gradients. */
  readonly full?: boolean;
  /** float64 serves the tests. */
  readonly dtype?: FloatType;
  /** Layers (from the last) that keep what their backward needs; the others compute it again. Default: all. */
  readonly keptLayers?: number;
  /** Rows of the largest pass that is to come, where they are known. */
  readonly expectedRows?: number;
}

/** Gradients of what lies outside the layers; a tied head's are the embedding's. */
export interface OuterGradients {
  readonly normFinal: Floats;
  readonly embedding: Floats;
  readonly head?: Floats;
}

export interface ForwardState {
  readonly packed: Packed;
  readonly layers: readonly LayerState[];
  /** The last layer's output `[rows, hidden]`, before the final norm. */
  readonly hidden: Floats;
}

export class Engine {
  readonly model: RuntimeModel;
  readonly lanes: Lanes;
  private readonly context: EngineContext;
  private readonly keptLayers: number;
  private readonly mask: Tensor;
  private readonly full: boolean;

  constructor(model: RuntimeModel, settings: EngineSettings = {}) {
    const { lora, full = false, dtype = 'float32', keptLayers = model.config.layers } = settings;
    this.model = model;
    this.keptLayers = keptLayers;
    const sessions = dtype === 'float64' ? ({ ...settings, optimization: 'basic' } as const) : settings;
    this.lanes = new Lanes(sessions, laneCount(settings, model.config));
    this.mask = causalMask(dtype);
    this.full = full;
    this.context = {
      model,
      lanes: this.lanes,
      pool: new BufferPool(dtype, settings.expectedRows),
      dtype,
      linears: { precision: model.precision, dtype, ...(lora ? { lora } : {}), full },
    };
  }

  /** Through all layers. With `keep`, the state holds what backward needs. */
  async forward(packed: Packed, adapters: readonly LayerAdapter[], keep: boolean): Promise<ForwardState> {
    const { config } = this.model;
    const { pool } = this.context;
    const rotaries = layerRotaries(packed.positions, config, this.context.dtype);
    const firstKept = keep ? config.layers - this.keptLayers : config.layers;
    const layers: LayerState[] = [];
    const through = async () => {
      let rows: BlockedRows = { data: this.embed(packed), ready: [] };
      let last = Promise.resolve();
      for (let layer = 0; layer < config.layers; layer++) {
        const state: LayerState = { x: rows.data };
        const run = layerForward(
          this.context,
          this.passOf(layer, packed, rotaries, adapters, state),
          rows,
          layer >= firstKept,
        );
        if (keep) layers.push(state);
        // While a layer ends, the next one begins; not more of them, as each needs memory.
        await last;
        last = keep ? run.done : this.lanes.watched(run.done.then(() => pool.give(config.hiddenSize, state.x)));
        rows = run.rows;
      }
      await last;
      return rows.data;
    };
    return { packed, layers, hidden: await this.lanes.settled(through()) };
  }

  /** Shows each layer's kept activations to `observe`, one layer at a time; after that call they are written over. */
  async observe(
    packed: Packed,
    adapters: readonly LayerAdapter[],
    observe: (layer: number, state: Required<LayerState>) => void,
  ): Promise<Floats> {
    const { config } = this.model;
    const rotaries = layerRotaries(packed.positions, config, this.context.dtype);
    let x = this.embed(packed);
    for (let layer = 0; layer < config.layers; layer++) {
      const state: LayerState = { x };
      const pass = this.passOf(layer, packed, rotaries, adapters, state);
      const { rows, done } = layerForward(this.context, pass, { data: x, ready: [] }, true);
      await this.lanes.settled(done);
      x = rows.data;
      observe(layer, state as Required<LayerState>);
      returnKept(this.context, state);
      this.context.pool.give(config.hiddenSize, state.x);
    }
    return x;
  }

  /**
   * From the gradient at the last layer's output to the parameters'. Adds to `grads[layer][name]`. What the layers kept is
   * given back as it is used, so a state serves one backward.
   *
   * @param dy gradient of the loss with respect to `state.hidden`; it is not to be used again
   * @param outer with `full`: sums of what lies outside the layers; the embedding's is added to
   */
  async backward(
    { packed, layers, hidden }: ForwardState,
    dy: Floats,
    adapters: readonly LayerAdapter[],
    grads: readonly Record<string, Floats>[],
    outer?: OuterGradients,
  ): Promise<void> {
    const rotaries = layerRotaries(packed.positions, this.model.config, this.context.dtype);
    const { pool } = this.context;
    const { hiddenSize } = this.model.config;
    pool.give(hiddenSize, hidden);
    const through = async () => {
      let rows: BlockedRows = { data: dy, ready: [] };
      let last = Promise.resolve();
      for (let layer = layers.length - 1; layer >= 0; layer--) {
        const state = layers[layer]!;
        const pass = this.passOf(layer, packed, rotaries, adapters, state);
        if (!state.kept) {
          const again = layerForward(this.context, pass, { data: state.x, ready: [] }, true);
          await again.done;
          pool.give(hiddenSize, again.rows.data);
        }
        const run = layerBackward(this.context, pass, state.kept!, rows, grads[layer]!);
        await last;
        const giveBack = () => {
          returnKept(this.context, state);
          pool.give(hiddenSize, state.x);
        };
        last = this.lanes.watched(run.done.then(giveBack));
        rows = run.rows;
      }
      await last;
      return rows.data;
    };
    const gradient = await this.lanes.settled(through());
    if (outer) addEmbeddingGradient(this.model, packed, gradient, outer.embedding);
    pool.give(hiddenSize, gradient);
  }

  /**
   * Cross-entropy of the packed targets.
   *
   * @param weights of each target in the summed loss; absent: no gradient
   * @param outer with `full`: sums of what lies outside the layers; the final norm's and the head's are added to
   * @returns the loss of each target in nats, and the gradient at the last layer's output
   */
  loss({ packed, hidden }: ForwardState, weights?: readonly number[], outer?: OuterGradients): Promise<HeadLoss> {
    const sums = outer && { normFinal: outer.normFinal, head: outer.head ?? outer.embedding };
    return headLoss(this.context, packed, hidden, weights, sums);
  }

  release(): Promise<void> {
    return this.lanes.release();
  }

  private embed({ rows, tokens }: Packed): Floats {
    return embedTokens(this.model, tokens, this.context.pool.take(rows, this.model.config.hiddenSize));
  }

  private passOf(
    layer: number,
    packed: Packed,
    rotaries: readonly RotaryTables[],
    adapters: readonly LayerAdapter[],
    state: LayerState,
  ): LayerPass {
    const weights = this.model.layers[layer]!;
    const adapter = adapters[layer] ?? {};
    const { mask } = this;
    const inputs = this.full
      ? { fixed: { mask }, changing: { ...weights, ...adapter } }
      : { fixed: { ...weights, mask }, changing: adapter };
    const { window } = layerAttention(this.model.config, layer);
    return { packed, rotary: rotaries[layer]!, window, inputs, state };
  }
}
