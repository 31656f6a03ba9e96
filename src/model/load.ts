/** Loads a model's weights from a hub-style folder. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../foundation/errors.ts';
import type { ModelWeights } from './config.ts';
import { readHubConfig, readJson } from './hub-config.ts';
import { hubWeightShapes } from './hub-weights.ts';
import { type FloatTensor, readSafetensors } from './safetensors.ts';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

const shardIndex = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads config.json and the weights (one model.safetensors, or shards with an index) into f32.
 * Tensors the architecture does not use are left out; a missing or misshapen one is an error.
 *
 * @param config of the model, where the folder has none
 * @throws UserError naming the file and the tensor
 */
export function loadModel(folder: string, config = readHubConfig(folder)): ModelWeights {
  const shapes = hubWeightShapes(config);
  const tensors = new Map<string, FloatTensor>();
  for (const [file, names] of filesOf(folder, [...shapes.keys()])) {
    for (const [name, tensor] of readSafetensors(join(folder, file), names)) {
      const expected = shapes.get(name)!;
      if (tensor.shape.join() !== expected.join()) {
        throw new UserError(
          `Cannot load ${join(folder, file)}: tensor ${name} is [${tensor.shape}], config.json says [${expected}]`,
          'config.json and the weights must belong together',
        );
      }
      tensors.set(name, tensor);
    }
  }
  return { config, tensors };
}

/** The weight files of a hub-style folder, relative to it. */
export function weightFiles(folder: string): string[] {
  if (existsSync(join(folder, SINGLE))) return [SINGLE];
  if (!existsSync(join(folder, INDEX))) return [];
  return [...new Set(Object.values(readShardIndex(folder)))].sort();
}

function filesOf(folder: string, names: string[]): Map<string, string[]> {
  if (existsSync(join(folder, SINGLE))) return new Map([[SINGLE, names]]);
  if (!existsSync(join(folder, INDEX))) {
    throw new UserError(
      `Cannot load the model in ${folder}: no ${SINGLE} and no ${INDEX}; found ${readdirSync(folder).join(', ') || 'nothing'}`,
      'Weights are read from safetensors alone, never from pickled files',
    );
  }
  const places = readShardIndex(folder);
  const files = new Map<string, string[]>();
  for (const name of names) {
    const file = places[name];
    if (file === undefined) throw new UserError(`Cannot load ${join(folder, INDEX)}: it does not list ${name}`);
    files.set(file, [...(files.get(file) ?? []), name]);
  }
  return files;
}

function readShardIndex(folder: string): Record<string, string> {
  const path = join(folder, INDEX);
  const parsed = shardIndex.safeParse(readJson(path));
  if (!parsed.success) throw new UserError(`Cannot read ${path}: weight_map: ${parsed.error.issues[0]!.message}`);
  const places = parsed.data.weight_map;
  const outside = Object.values(places).find((file) => file.includes('/') || file.includes('\\'));
  if (outside !== undefined) throw new UserError(`Cannot read ${path}: ${outside} is not a file of this folder`);
  return places;
}
