/** Writes an ONNX model: weights inside the file, or in data files beside it where they outgrow it. */

import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { TypedArray } from '../graph/value.ts';
import {
  encodeModelParts,
  type OnnxExternalInitializer,
  type OnnxInitializer,
  type OnnxModel,
} from '../onnx/model-proto.ts';

export interface OnnxFileLimits {
  /** Weights above this lie beside the model: a protobuf file may not reach 2 GiB. */
  readonly inside: number;
  /** Largest data file: browsers hold each in one buffer. */
  readonly dataFile: number;
}

const LIMITS: OnnxFileLimits = { inside: 1.5e9, dataFile: 1.9e9 };
/** Smaller tensors stay inside; shape inference wants to see constants. */
const SMALLEST_OUTSIDE = 4096;
/** Data begins at pages, so that a runtime can map it. */
const PAGE = 4096;
/** Small pieces are joined up to this before they are written. */
const WRITE_BLOCK = 2 ** 20;

/**
 * Writes `model` to `path`, atomically, data files first.
 *
 * @returns how many data files lie beside it, as transformers.js names and counts them (`<file>_data`, `<file>_data_1`, ...)
 */
export function writeOnnx(path: string, model: OnnxModel, limits: OnnxFileLimits = LIMITS): number {
  const total = model.initializers.reduce((sum, tensor) => sum + byteLength(tensor), 0);
  if (total <= limits.inside) {
    writeFileAtomic(path, ...blocks(encodeModelParts(model)));
    return 0;
  }
  const files: OnnxInitializer[][] = [];
  const initializers: (OnnxInitializer | OnnxExternalInitializer)[] = [];
  let end = Number.POSITIVE_INFINITY;
  for (const tensor of model.initializers) {
    const length = byteLength(tensor);
    if (length < SMALLEST_OUTSIDE || !('data' in tensor)) {
      initializers.push(tensor);
      continue;
    }
    if (end + length > limits.dataFile) {
      files.push([]);
      end = 0;
    }
    const location = dataFileName(path, files.length - 1);
    const { name, dtype, shape } = tensor;
    initializers.push({ name, dtype, shape, external: { location, offset: end, length } });
    files.at(-1)!.push(tensor);
    end = Math.ceil((end + length) / PAGE) * PAGE;
  }
  for (const [i, tensors] of files.entries()) {
    const pieces = tensors.flatMap(({ data }, at) =>
      (at === 0 ? [] : [gapAfter(tensors[at - 1]!.data)]).concat(bytesOf(data)),
    );
    writeFileAtomic(join(dirname(path), dataFileName(path, i)), ...pieces);
  }
  writeFileAtomic(path, ...blocks(encodeModelParts({ ...model, initializers })));
  return files.length;
}

const dataFileName = (path: string, index: number) => `${basename(path)}_data${index === 0 ? '' : `_${index}`}`;

function byteLength(tensor: OnnxInitializer | OnnxExternalInitializer): number {
  return 'data' in tensor ? tensor.data.byteLength : tensor.external.length;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** What lies between a tensor and the next page. */
function gapAfter({ byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(Math.ceil(byteLength / PAGE) * PAGE - byteLength);
}

/** The same bytes in few pieces: runs of small ones joined, large ones as they are. */
function blocks(parts: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const flush = () => {
    if (run.length > 0) out.push(Buffer.concat(run));
    run = [];
  };
  for (const part of parts) {
    if (part.length < WRITE_BLOCK) {
      run.push(part);
      continue;
    }
    flush();
    out.push(part);
  }
  flush();
  return out;
}
