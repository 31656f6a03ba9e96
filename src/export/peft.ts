/** A LoRA adapter as PEFT reads it: for the base as it is on the hub, whatever it was trained beside. */

import { join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { Adapter } from '../model/adapter.ts';
import { LINEAR_NAMES, type ModelConfig } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { type FloatTensor, writeSafetensors } from '../model/safetensors.ts';
import { transposed } from '../model/transposed.ts';

/** The model an adapter belongs to. */
export interface AdapterBase {
  /** Hub id or path. */
  readonly name: string;
  /** Of the file the base's weights were read from. */
  readonly sha256: string;
}

/**
 * Tensors by PEFT name: lora_A `[rank, inputs]`, lora_B `[outputs, rank]` of every linear; y = x W^T + (alpha / r) x A^T B^T.
 * Linears that share their input share one A matrix of ours: each takes its own columns.
 *
 * @param adapter for the base that is not smoothed
 */
export function peftTensors(config: ModelConfig, { layers, rank }: Adapter): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>();
  for (const [layer, parameters] of layers.entries()) {
    for (const group of Object.values(linearGroups(config))) {
      const { inputs, parts, name } = group;
      const columns = transposed(parameters[`${name}.A`]!.data as Float32Array, inputs, rank * parts.length);
      for (const [i, part] of parts.entries()) {
        const key = `base_model.model.model.layers.${layer}.${LINEAR_NAMES[part.name]}`;
        const a = columns.slice(i * rank * inputs, (i + 1) * rank * inputs);
        const b = transposed(parameters[`${name}.B.${part.name}`]!.data as Float32Array, rank, part.outputs);
        tensors.set(`${key}.lora_A.weight`, { shape: [rank, inputs], data: a });
        tensors.set(`${key}.lora_B.weight`, { shape: [part.outputs, rank], data: b });
      }
    }
  }
  return tensors;
}

/**
 * Writes adapter_model.safetensors and adapter_config.json. The base's hash stands in the safetensors metadata: PEFT's
 * config has no field for it, and warns of fields it does not know.
 *
 * @param adapter for the base that is not smoothed
 */
export function writePeft(folder: string, config: ModelConfig, adapter: Adapter, base: AdapterBase): void {
  writeSafetensors(join(folder, 'adapter_model.safetensors'), peftTensors(config, adapter), {
    format: 'pt',
    base_model: base.name,
    base_sha256: base.sha256,
  });
  const settings = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base.name,
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    lora_dropout: 0,
    use_rslora: false,
    use_dora: false,
    bias: 'none',
    fan_in_fan_out: false,
    target_modules: Object.values(LINEAR_NAMES).map((name) => name.split('.')[1]),
    modules_to_save: null,
    inference_mode: true,
  };
  writeFileAtomic(join(folder, 'adapter_config.json'), `${JSON.stringify(settings, null, 2)}\n`);
}
