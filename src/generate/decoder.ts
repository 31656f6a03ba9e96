/** Runs a model for generation: prompts in chunks, then one token at a time in all places, with keys and values kept. */

import { causalMask } from '../engine/attention-feeds.ts';
import { attentionShape } from '../engine/attention-pieces.ts';
import { embedTokens } from '../engine/embed.ts';
import { toTensor } from '../engine/floats.ts';
import { GraphCache } from '../engine/graph-cache.ts';
import type { LayerAdapter } from '../engine/layer-context.ts';
import { layerRotaries, rotaryRows } from '../engine/rotary-tables.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { Tensor } from '../graph/value.ts';
import { layerAttention } from '../model/config.ts';
import { decodeAttention, keysInput, valuesInput } from '../model/decode-graphs.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { jointParameters } from '../model/joint-parameters.ts';
import { afterForward, attentionForward, beforeForward, logitsGraph } from '../model/layer-graphs.ts';
import type { LinearSettings } from '../model/linear.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import type { SessionSettings } from '../onnx/session.ts';
import { CHUNK, KvCache } from './kv-cache.ts';

/** A model that generates: what was trained, in the form it was trained in. */
export interface GenerationModel {
  readonly model: RuntimeModel;
  /** LoRA beside the weights. */
  readonly adapter?: { readonly layers: readonly LayerAdapter[]; readonly rank: number; readonly scale: number };
  readonly settings?: SessionSettings;
}

/** A token that is fed to a place, and where it stands in its sequence. */
export interface PlaceInput {
  readonly token: number;
  readonly position: number;
}

/** The last, shorter chunk of a prompt is padded to a multiple of this: few shapes of graphs. */
const TAIL_MULTIPLE = 16;

/**
 * A batch of places, each with one sequence. Every step runs the rows of all places, empty ones too: kernels choose the
 * order of their sums by the number of rows, so a fixed number makes a sequence's tokens independent of its company.
 */
export class Decoder {
  readonly cache: GraphCache;
  private readonly model: Omit<RuntimeModel, 'layers'>;
  private readonly linears: LinearSettings;
  /** Graph inputs of each layer: weights and adapter. */
  private readonly parameters: readonly Readonly<Record<string, Tensor>>[];
  private readonly places: readonly KvCache[];
  private readonly mask = causalMask('float32');
  /** What an empty place attends to. */
  private readonly nothing: Tensor;

  constructor({ model, adapter, settings = {} }: GenerationModel, places: number) {
    const { layers, ...outer } = model;
    this.model = outer;
    this.cache = new GraphCache(settings);
    this.linears = { precision: model.precision, joint: true, ...(adapter ? { lora: adapter } : {}) };
    const groups = Object.values(linearGroups(model.config));
    this.parameters = layers.map((weights, layer) =>
      jointParameters(groups, { ...weights, ...adapter?.layers[layer] }),
    );
    this.places = Array.from({ length: places }, () => new KvCache(model.config));
    const width = model.config.kvHeads * model.config.headDim;
    this.nothing = { dtype: 'float32', shape: [1, width], data: new Float32Array(width) };
  }

  /**
   * Starts a sequence in a place: computes keys and values of all tokens of the prompt but the last, which the first step
   * takes. Whole chunks that a place has seen at the same beginning are copied.
   *
   * @param room tokens that may follow
   * @throws InterruptedError
   */
  async begin(place: number, prompt: readonly number[], room: number, signal: AbortSignal): Promise<void> {
    const own = this.places[place]!;
    const source = this.places.reduce((a, b) => (b.shared(prompt) > a.shared(prompt) ? b : a), own);
    const shared = source.shared(prompt);
    own.begin(source, shared, prompt.length + room);
    const end = prompt.length - 1;
    for (let start = shared; start < end; start += CHUNK) {
      await this.encode(own, prompt.slice(start, Math.min(start + CHUNK, end)), start, signal);
    }
    own.finishPrompt(prompt, end);
  }

  /**
   * Feeds one token to each place that has one.
   *
   * @returns logits `[places, vocabulary]` of what follows; rows of empty places mean nothing
   * @throws InterruptedError
   */
  async step(inputs: readonly (PlaceInput | undefined)[], signal: AbortSignal): Promise<Float32Array> {
    const { config, normFinal, head } = this.model;
    const rows = this.places.length;
    const width = config.kvHeads * config.headDim;
    const angles = this.angles(Int32Array.from(inputs, (input) => input?.position ?? 0));
    let x = this.embed(
      inputs.map((input) => input?.token ?? 0),
      rows,
    );
    for (const [layer, parameters] of this.parameters.entries()) {
      stopIfAborted(signal);
      const { q, k, v } = await this.beforeAttention(parameters, x, angles[layer]!);
      const { window = Number.POSITIVE_INFINITY } = layerAttention(config, layer);
      const feeds: Record<string, Tensor> = { q: q! };
      for (const [place, input] of inputs.entries()) {
        if (input) {
          const own = (data: Tensor['data']) => (data as Float32Array).subarray(place * width, (place + 1) * width);
          this.places[place]!.write(layer, input.position, own(k!.data), own(v!.data));
        }
        const end = (input?.position ?? 0) + 1;
        const cached = input && this.places[place]!.read(layer, Math.max(0, end - window), end);
        feeds[keysInput(place)] = cached?.keys ?? this.nothing;
        feeds[valuesInput(place)] = cached?.values ?? this.nothing;
      }
      const { o } = await this.cache.run(`attention-decode ${rows}`, () => decodeAttention(config, rows), feeds);
      x = await this.afterAttention(parameters, x, o!);
    }
    stopIfAborted(signal);
    const { logits } = await this.cache.run(`logits ${rows}`, () => logitsGraph(config, rows), {
      h: x,
      normFinal,
      head,
    });
    return logits!.data as Float32Array;
  }

  release(): Promise<void> {
    return this.cache.release();
  }

  /** Keys and values of a chunk's tokens, which stand at `start` and after. */
  private async encode(own: KvCache, tokens: readonly number[], start: number, signal: AbortSignal): Promise<void> {
    const { config } = this.model;
    const rows = Math.ceil(tokens.length / TAIL_MULTIPLE) * TAIL_MULTIPLE;
    const angles = this.angles(Int32Array.from({ length: rows }, (_, i) => start + i));
    let x = this.embed(tokens, rows);
    for (const [layer, parameters] of this.parameters.entries()) {
      stopIfAborted(signal);
      const { q, k, v } = await this.beforeAttention(parameters, x, angles[layer]!);
      // Rows of padding come last: no token attends to them, and the tokens that follow overwrite them.
      own.write(layer, start, k!.data as Float32Array, v!.data as Float32Array);
      if (layer === config.layers - 1) return;
      const { keys, values } = own.read(layer, 0, start + rows);
      const { window } = layerAttention(config, layer);
      const { shape, key } = attentionShape(rows, start, window);
      const { o } = await this.cache.run(`attention-forward ${key}`, () => attentionForward(config, shape), {
        q: q!,
        k: keys,
        v: values,
        mask: this.mask,
      });
      x = await this.afterAttention(parameters, x, o!);
    }
  }

  private beforeAttention(
    parameters: Readonly<Record<string, Tensor>>,
    x: Tensor,
    angles: Record<'cos' | 'sin', Tensor>,
  ) {
    const rows = x.shape[0]!;
    const build = () => beforeForward(this.model.config, rows, this.linears);
    return this.cache.run(`before-forward ${rows}`, build, { ...parameters, ...angles, x });
  }

  private async afterAttention(parameters: Readonly<Record<string, Tensor>>, x: Tensor, o: Tensor): Promise<Tensor> {
    const rows = x.shape[0]!;
    const build = () => afterForward(this.model.config, rows, this.linears, false);
    const { y } = await this.cache.run(`after-forward ${rows}`, build, { ...parameters, x, o });
    return y!;
  }

  /** cos and sin of each layer. */
  private angles(positions: Int32Array): { cos: Tensor; sin: Tensor }[] {
    return layerRotaries(positions, this.model.config, 'float32').map((tables) =>
      rotaryRows(tables, 0, positions.length),
    );
  }

  private embed(tokens: readonly number[], rows: number): Tensor {
    const { hiddenSize } = this.model.config;
    return toTensor(embedTokens(this.model, tokens, new Float32Array(rows * hiddenSize)), [rows, hiddenSize]);
  }
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new InterruptedError();
}
