/** Rounding a weight to int8, symmetric, one scale for each output channel. */

/** Codes are symmetric: -128 is not used. */
const LARGEST_CODE = 127;

export interface QuantizedWeight {
  /** `[outputs, inputs]`. */
  readonly codes: Int8Array;
  /** weight = code * scale[output]. */
  readonly scale: Float32Array;
}

/**
 * scale = absmax / 127, code = round(w / scale), for each output.
 *
 * @param weight f32 `[outputs, inputs]`
 * @param columns multiplied into the input channels first (smoothing)
 */
export function quantizeWeight(
  weight: Float32Array,
  outputs: number,
  inputs: number,
  columns?: Float32Array,
): QuantizedWeight {
  const codes = new Int8Array(weight.length);
  const scale = new Float32Array(outputs);
  const row = new Float32Array(inputs);
  for (let output = 0; output < outputs; output++) {
    const offset = output * inputs;
    let absmax = 0;
    for (let i = 0; i < inputs; i++) {
      row[i] = weight[offset + i]! * (columns ? columns[i]! : 1);
      absmax = Math.max(absmax, Math.abs(row[i]!));
    }
    scale[output] = absmax === 0 ? 1 : absmax / LARGEST_CODE;
    for (let i = 0; i < inputs; i++) codes[offset + i] = Math.round(row[i]! / scale[output]!);
  }
  return { codes, scale };
}
