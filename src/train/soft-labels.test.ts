/** Labels that are distributions: -sum_k p_k log softmax(z)_k, held against the plain decoder and central differences. */

import { afterAll, describe, expect, it } from 'vitest';
import { plainLosses, plainModel } from '../../test/plain-decoder.ts';
import {
  adapterInFloat64,
  busyAdapter,
  differences,
  drawTree,
  inFloat64,
  loraOf,
  SMALLEST,
  tinyWeights,
} from '../../test/tiny-models.ts';
import { Engine } from '../engine/engine.ts';
import { evaluateLoss } from '../engine/evaluate.ts';
import { packSequences, type SoftLabel, type TokenSequence } from '../engine/pack.ts';
import { f32Model } from '../model/runtime-model.ts';
import { batchGradient } from './step.ts';

const weights = tinyWeights(SMALLEST);
const adapter = busyAdapter(weights.config, { rank: 2, alpha: 4 });
const wide = adapterInFloat64(adapter.layers);
const double = new Engine(inFloat64(f32Model(weights)), { dtype: 'float64', lora: loraOf(adapter), threads: 1 });
const single = new Engine(f32Model(weights), { lora: loraOf(adapter), threads: 1 });
afterAll(async () => {
  await double.release();
  await single.release();
});

const SHARES = [0.125, 0, 0.5, 0.25, 0.125];
const LEVELS = [49, 50, 51, 52, 53];
const soft = (sequence: TokenSequence, shares: readonly number[], at = sequence.labelsFrom): TokenSequence => ({
  ...sequence,
  soft: { at, tokens: LEVELS, shares },
});
/** Two sequences on one prefix, the first label of each soft, and a hard one that stands alone. */
const [first, second, alone] = [...drawTree(32, [5, 4], 2), ...drawTree(12, [4], 3, 1)] as [
  TokenSequence,
  TokenSequence,
  TokenSequence,
];
const BATCH = [soft(first, SHARES), soft(second, [0, 0, 0, 0.75, 0.25]), alone];

/** From the plain decoder's loss of each token by itself. */
function plainSum(sequence: TokenSequence): number {
  const plain = plainModel(weights, { layers: wide, ...loraOf(adapter) });
  const { soft: label } = sequence;
  const own = plainLosses(plain, sequence);
  if (label === undefined) return own.reduce((sum, loss) => sum + loss, 0);
  const place = label.at - sequence.labelsFrom;
  const each = label.tokens.map((token) => {
    const tokens = [...sequence.tokens];
    tokens[label.at] = token;
    return plainLosses(plain, { ...sequence, tokens })[place]!;
  });
  const mixed = each.reduce((sum, loss, k) => sum + label.shares[k]! * loss, 0);
  return own.reduce((sum, loss, i) => sum + (i === place ? mixed : loss), 0);
}

describe('soft labels', () => {
  it('count once, and only their tokens with a share are targets', () => {
    const packed = packSequences(BATCH);
    expect(packed.labels).toBe(2 + 2 + 3);
    expect(packed.targets.filter(({ share }) => share !== undefined).map(({ label }) => label)).toEqual([
      49, 51, 52, 53, 52, 53,
    ]);
    const rows = packed.targets.filter(({ share, sequence }) => share !== undefined && sequence === 0);
    expect(new Set(rows.map(({ row }) => row)).size).toBe(1);
  });

  it('have the cross-entropy of the plain decoder, in training and in evaluation', async () => {
    const expected = BATCH.reduce((sum, sequence) => sum + plainSum(sequence), 0) / 7;
    const found = await batchGradient(double, { ...adapter, layers: wide }, [BATCH], zeros());
    expect(Math.abs(found.loss - expected)).toBeLessThan(1e-12);
    expect(found.labels).toBe(7);
    expect(Math.abs((await evaluateLoss(double, wide, BATCH)) - expected)).toBeLessThan(1e-12);
    expect(Math.abs((await evaluateLoss(single, adapter.layers, BATCH)) - expected)).toBeLessThan(1e-5);
  });

  it('have the gradients that central differences give', async () => {
    const { grads } = await batchGradient(double, { ...adapter, layers: wide }, [BATCH], zeros());
    const h = 1e-5;
    const lossWith = async (values: Float64Array, at: number, value: number) => {
      const before = values[at]!;
      values[at] = value;
      const loss = await evaluateLoss(double, wide, BATCH);
      values[at] = before;
      return loss;
    };
    // Every element goes the same way (engine.test.ts tries all); two of each tensor show that the shares are in it.
    const [expected, found]: Record<string, number[]>[][] = [[], []];
    for (const [layer, tensors] of wide.entries()) {
      const [numeric, own]: Record<string, number[]>[] = [{}, {}];
      for (const [name, { data }] of Object.entries(tensors)) {
        const values = data as Float64Array;
        const gradient = Array.from(grads[layer]![name]!);
        const largest = gradient.reduce(
          (best, value, i) => (Math.abs(value) > Math.abs(gradient[best]!) ? i : best),
          0,
        );
        const [slopes, here]: number[][] = [[], []];
        for (const at of [largest, values.length - 1]) {
          const above = await lossWith(values, at, values[at]! + h);
          const below = await lossWith(values, at, values[at]! - h);
          slopes!.push((above - below) / (2 * h));
          here!.push(gradient[at]!);
        }
        numeric![name] = slopes!;
        own![name] = here!;
      }
      expected!.push(numeric!);
      found!.push(own!);
    }
    expect(differences(found!, expected!, 1e-7)).toEqual([]);
    // float32, as training runs it.
    const { grads: narrow } = await batchGradient(single, adapter, [BATCH]);
    expect(differences(narrow, grads, 1e-4)).toEqual([]);
  });

  it('of one token are hard labels, bit for bit', async () => {
    const onlyToken = (sequence: TokenSequence): TokenSequence => {
      const at = sequence.labelsFrom;
      const token = sequence.tokens[at]!;
      const label: SoftLabel = { at, tokens: [token === 7 ? 8 : 7, token], shares: [0, 1] };
      return { ...sequence, soft: label };
    };
    const hard = await batchGradient(single, adapter, [[first, second, alone]]);
    const softened = await batchGradient(single, adapter, [[first, second, alone].map(onlyToken)]);
    expect(softened).toEqual(hard);
  });

  it('do not depend on how a batch is cut, nor on shared prefixes', async () => {
    const whole = await batchGradient(double, { ...adapter, layers: wide }, [BATCH], zeros());
    const parts = await batchGradient(
      double,
      { ...adapter, layers: wide },
      BATCH.map((one) => [one]),
      zeros(),
    );
    expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-12);
    expect(differences(parts.grads, whole.grads, 1e-9)).toEqual([]);
  });
});

function zeros() {
  return wide.map((tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, new Float64Array(data.length)])),
  );
}
