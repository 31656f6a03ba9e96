import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EMBEDDING, FINAL_NORM, HEAD, hubWeightShapes } from './hub-weights.ts';
import { loadModel, weightFiles } from './load.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { writeTinyModel } from './tiny.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-load-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const weightsOf = () => readSafetensors(join(folder, 'model.safetensors'));

test('loadModel() gives every weight of the architecture and no other', () => {
  const config = writeTinyModel(folder);
  const stored = weightsOf();
  stored.set('model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [8], data: new Float32Array(8) });
  writeSafetensors(join(folder, 'model.safetensors'), stored);
  const model = loadModel(folder);
  expect(model.config).toEqual(config);
  expect([...model.tensors.keys()].sort()).toEqual([...hubWeightShapes(config).keys()].sort());
  expect(model.tensors.get(EMBEDDING)!.shape).toEqual([260, 64]);
  expect(model.tensors.has(HEAD)).toBe(false);
});

test('loadModel() has a head of its own where embeddings are not tied', () => {
  writeTinyModel(folder, { tieEmbeddings: false });
  expect(loadModel(folder).tensors.get(HEAD)!.shape).toEqual([260, 64]);
});

test('loadModel() reads shards by their index', () => {
  writeTinyModel(folder);
  const whole = loadModel(folder);
  const places: Record<string, string> = {};
  const shards = new Map<string, typeof whole.tensors>();
  for (const [i, [name, tensor]] of [...whole.tensors].entries()) {
    places[name] = `model-0000${(i % 2) + 1}-of-00002.safetensors`;
    shards.set(places[name], new Map([...(shards.get(places[name]) ?? []), [name, tensor]]));
  }
  for (const [file, tensors] of shards) writeSafetensors(join(folder, file), tensors);
  rmSync(join(folder, 'model.safetensors'));
  const index = join(folder, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ weight_map: places }));
  expect(weightFiles(folder)).toEqual(['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']);
  const loaded = loadModel(folder);
  for (const [name, tensor] of whole.tensors) expect(loaded.tensors.get(name)).toEqual(tensor);

  writeFileSync(index, JSON.stringify({ weight_map: { ...places, [FINAL_NORM]: undefined } }));
  expect(() => loadModel(folder)).toThrow(`it does not list ${FINAL_NORM}`);
  writeFileSync(index, JSON.stringify({ weight_map: { ...places, [FINAL_NORM]: '../other.safetensors' } }));
  expect(() => loadModel(folder)).toThrow('../other.safetensors is not a file of this folder');
});

test('loadModel() names the tensor that is missing or misshapen, and what lies there instead of weights', () => {
  writeTinyModel(folder);
  const stored = weightsOf();
  stored.delete(FINAL_NORM);
  writeSafetensors(join(folder, 'model.safetensors'), stored);
  expect(() => loadModel(folder)).toThrow(`it has no tensor ${FINAL_NORM}`);
  stored.set(FINAL_NORM, { shape: [8, 8], data: new Float32Array(64) });
  writeSafetensors(join(folder, 'model.safetensors'), stored);
  expect(() => loadModel(folder)).toThrow(`tensor ${FINAL_NORM} is [8,8], config.json says [64]`);
  renameSync(join(folder, 'model.safetensors'), join(folder, 'pytorch_model.bin'));
  expect(() => loadModel(folder)).toThrow(/no model.safetensors .*found config.json, .*pytorch_model.bin/);
  writeFileSync(join(folder, 'config.json'), '{');
  expect(() => loadModel(folder)).toThrow(`Cannot read ${join(folder, 'config.json')}`);
});

test('writeTinyModel() gives equal bytes for equal settings, the bytes the golden files were recorded with', async () => {
  writeTinyModel(folder);
  const first = readFileSync(join(folder, 'model.safetensors'));
  writeTinyModel(folder, { seed: 1 });
  expect(readFileSync(join(folder, 'model.safetensors')).equals(first)).toBe(false);
  const { sha256 } = await import('../foundation/hash.ts');
  const golden = JSON.parse(readFileSync('test/golden/model/tiny-random.json', 'utf8')) as { sha256: string };
  expect(sha256(first)).toBe(golden.sha256);
});
