/** A student as one plain model folder for Python: merged in f32, or on the W8A8 grid in the format of compressed-tensors. */

import { join } from 'node:path';
import type { Tensor } from '../graph/value.ts';
import { LINEAR_NAMES } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { EMBEDDING, FINAL_NORM, HEAD, layerNorms } from '../model/hub-weights.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import { type WritableTensor, writeSafetensors } from '../model/safetensors.ts';
import { transposed } from '../model/transposed.ts';
import { mergedWeights, type Student, w8a8Student } from '../quantize/student-model.ts';
import type { GenerationSettings } from '../recipe/schema.ts';
import { writeHubFiles } from './hub-files.ts';

const WEIGHTS = 'model.safetensors';
/** What is stored, whatever the base was stored in. */
const FLOAT32 = { torch_dtype: 'float32', dtype: 'float32' };

/**
 * The grid of src/graph/ops/quantized.ts as compressed-tensors says it. With another status, or without the ignored head,
 * the library loads the folder and computes something else.
 */
const QUANTIZATION = {
  quant_method: 'compressed-tensors',
  format: 'int-quantized',
  quantization_status: 'compressed',
  ignore: ['lm_head'],
  config_groups: {
    group_0: {
      targets: ['Linear'],
      weights: { num_bits: 8, type: 'int', symmetric: true, strategy: 'channel', dynamic: false },
      input_activations: { num_bits: 8, type: 'int', symmetric: true, strategy: 'token', dynamic: true },
    },
  },
};

/** Writes the student with its adapter merged in f32, as `AutoModelForCausalLM.from_pretrained` of transformers loads it. */
export function writeMergedFolder(folder: string, student: Student, generation: GenerationSettings): void {
  writeSafetensors(join(folder, WEIGHTS), mergedWeights(student).tensors);
  writeHubFiles(folder, student.modelFolder, generation, FLOAT32);
}

/**
 * Writes the student merged and rounded to int8, as transformers and vLLM load it with compressed-tensors.
 *
 * @throws UserError where it is not calibrated
 */
export function writeCompressedFolder(folder: string, student: Student, generation: GenerationSettings): void {
  writeSafetensors(join(folder, WEIGHTS), compressedTensors(w8a8Student(student, 'merged').model));
  writeHubFiles(folder, student.modelFolder, generation, { ...FLOAT32, quantization_config: QUANTIZATION });
}

/** Per linear: weight int8 `[outputs, inputs]` and weight_scale f32 `[outputs, 1]`; everything else f32. */
function compressedTensors({ config, layers, embedding, head, normFinal }: RuntimeModel): Map<string, WritableTensor> {
  const float = ({ shape, data }: Tensor) => ({ shape, data: data as Float32Array });
  // As the hub stores them: without the offset the family adds.
  const norm = ({ shape, data }: Tensor) => ({ shape, data: (data as Float32Array).map((w) => w - config.normOffset) });
  const tensors = new Map<string, WritableTensor>([
    [EMBEDDING, float(embedding)],
    [FINAL_NORM, norm(normFinal)],
  ]);
  if (head !== embedding) tensors.set(HEAD, float(head));
  for (const [layer, weights] of layers.entries()) {
    const prefix = `model.layers.${layer}`;
    for (const [input, { name }] of Object.entries(layerNorms(config)))
      tensors.set(`${prefix}.${name}.weight`, norm(weights[input]!));
    for (const { inputs, bias, parts } of Object.values(linearGroups(config))) {
      for (const { name, outputs } of parts) {
        const key = `${prefix}.${LINEAR_NAMES[name]}`;
        const codes = transposed(weights[`${name}.int8`]!.data as Int8Array, inputs, outputs);
        tensors.set(`${key}.weight`, { shape: [outputs, inputs], data: codes });
        const scales = weights[`${name}.scale`]!.data as Float32Array;
        tensors.set(`${key}.weight_scale`, { shape: [outputs, 1], data: scales });
        if (bias) tensors.set(`${key}.bias`, float(weights[`${name}.bias`]!));
      }
    }
  }
  return tensors;
}
