/** The small files of an exported student: config, generation settings and tokenizer, as transformers.js reads them. */

import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { readJson } from '../model/hub-config.ts';
import type { GenerationSettings } from '../recipe/schema.ts';

type Json = Record<string, unknown>;

/**
 * Writes config.json, generation_config.json, tokenizer.json and tokenizer_config.json into `folder`.
 *
 * @param modelFolder the base's hub-style folder
 * @param generation settings the student was validated with become its defaults
 * @param extra fields of config.json that the base's does not have
 */
export function writeHubFiles(folder: string, modelFolder: string, generation: GenerationSettings, extra: Json): void {
  mkdirSync(folder, { recursive: true });
  const base = (name: string): Json => {
    const path = join(modelFolder, name);
    return existsSync(path) ? (readJson(path) as Json) : {};
  };
  const write = (name: string, value: Json) =>
    writeFileAtomic(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);

  const { quantization_config: _, ...config } = base('config.json');
  write('config.json', { ...config, ...extra });

  const { bos_token_id, eos_token_id } = config;
  write('generation_config.json', {
    bos_token_id,
    eos_token_id,
    ...base('generation_config.json'),
    ...sampling(generation),
  });

  copyFileSync(join(modelFolder, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const tokenizer = base('tokenizer_config.json');
  const template = join(modelFolder, 'chat_template.jinja');
  write('tokenizer_config.json', {
    ...tokenizer,
    pad_token: tokenizer.pad_token ?? tokenizer.eos_token,
    // transformers.js does not read the file of its own that transformers 5 keeps the template in.
    ...(existsSync(template) ? { chat_template: readFileSync(template, 'utf8') } : {}),
    // Batches are generated from: the last position must be a real token.
    padding_side: 'left',
  });
}

/**
 * The field of config.json that tells transformers.js of the ONNX files.
 *
 * @param dtype the precision loaded where the caller names none
 * @param dataFiles how many data files lie beside each model file that has any
 */
export function transformersJsConfig(dtype: 'fp32' | 'q8', dataFiles: Readonly<Record<string, number>>): Json {
  const external = Object.keys(dataFiles).length > 0 ? { use_external_data_format: dataFiles } : {};
  return { 'transformers.js_config': { dtype, ...external } };
}

/**
 * The recipe's generation settings by their hub names. A penalty that leaves the prompt alone has none:
 * that of transformers counts it.
 */
function sampling({ temperature, topP, repetitionPenalty, penalizePrompt, maxTokens }: GenerationSettings): Json {
  return {
    ...(temperature > 0 ? { do_sample: true, temperature, top_p: topP } : { do_sample: false }),
    ...(penalizePrompt ? { repetition_penalty: repetitionPenalty } : {}),
    max_new_tokens: maxTokens,
  };
}
