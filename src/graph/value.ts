/** The graph's vocabulary: types, values and nodes. Op names and meanings are ONNX's. */

export type DType = 'float32' | 'float64' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool';

/** Static dimensions. */
export type Shape = readonly number[];

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export type TypedArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** Data with a type, in row-major order. */
export interface Tensor extends TensorType {
  readonly data: TypedArray;
}
