/** One training step of SmolLM2-135M-Instruct: our loss and LoRA gradients, and those of PyTorch and PEFT. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { loadModel } from '../../src/model/load.ts';
import { cachedModelFolder, cachedOrigin } from '../../src/model/resolve-cache.ts';
import { f32Model } from '../../src/model/runtime-model.ts';
import { readSafetensors, writeSafetensors } from '../../src/model/safetensors.ts';
import { loadTokenizer } from '../../src/model/tokenizer.ts';
import { batchGradient } from '../../src/train/step.ts';
import { asPeft, numbersOf } from '../peft-tensors.ts';
import { busyAdapter, loraOf } from '../tiny-models.ts';
import { sftRows } from '../train-setup.ts';
import { python } from './python.ts';

const folder = cachedModelFolder('HuggingFaceTB--SmolLM2-135M-Instruct');
const isCached = cachedOrigin(folder) !== undefined;
const temporary = mkdtempSync(join(tmpdir(), 'mga-interop-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

const SIZE = { rank: 8, alpha: 16 };

/** Arguments: model folder, adapter file, file for the gradients, samples. Prints the loss. */
const PEFT = `
import json, sys
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM
folder, adapter, gradients, samples = sys.argv[1:]
base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
model = get_peft_model(base, LoraConfig(r=${SIZE.rank}, lora_alpha=${SIZE.alpha}, target_modules=names, task_type="CAUSAL_LM"))
parameters = {k.replace(".default", ""): v for k, v in model.named_parameters() if v.requires_grad}
stored = load_file(adapter)
assert stored.keys() == parameters.keys()
with torch.no_grad():
    for name, value in parameters.items():
        value.copy_(stored[name])
total, count = 0.0, 0
for sample in json.loads(samples):
    tokens, start = torch.tensor(sample["tokens"]), sample["labelsFrom"]
    logits = model(tokens[None]).logits[0]
    total = total + torch.nn.functional.cross_entropy(logits[start - 1 : -1], tokens[start:], reduction="sum")
    count += len(tokens) - start
loss = total / count
loss.backward()
save_file({name: value.grad for name, value in parameters.items()}, gradients)
print(json.dumps(loss.item()))
`;

describe.skipIf(!isCached)('a step of SmolLM2-135M-Instruct (skipped where it is not cached)', () => {
  it('has the loss and the gradients of PyTorch and PEFT, prefixes shared here and not there', async () => {
    const weights = loadModel(folder);
    const adapter = busyAdapter(weights.config, SIZE);
    // Products of the size of a trained adapter's, not of the weights'.
    for (const tensors of adapter.layers) {
      for (const [name, { data }] of Object.entries(tensors)) {
        if (name.includes('.B.')) for (let i = 0; i < data.length; i++) data[i] = 0.02 * Number(data[i]);
      }
    }
    const tokenizer = await loadTokenizer(folder);
    const samples = sftRows(2).map(({ prompt, completion }) => {
      const { tokens, promptLength } = tokenizer.chatSample(prompt, completion);
      return { tokens, labelsFrom: promptLength };
    });

    const engine = new Engine(f32Model(weights), { lora: loraOf(adapter) });
    const { loss, grads } = await batchGradient(engine, adapter, [samples]);
    await engine.release();

    const [stored, gradients] = [join(temporary, 'adapter.safetensors'), join(temporary, 'gradients.safetensors')];
    writeSafetensors(stored, asPeft(weights.config, SIZE.rank, numbersOf(adapter.layers)));
    const theirs = python(PEFT, folder, stored, gradients, JSON.stringify(samples)) as number;
    expect(Math.abs(loss - theirs)).toBeLessThan(1e-4);
    const found = asPeft(weights.config, SIZE.rank, grads);
    // |ours - theirs| / |theirs| of each tensor: f32 rounding over 30 layers.
    const off = Array.from(readSafetensors(gradients), ([name, { data }]) => {
      const ours = found.get(name)!.data;
      return { name, relative: norm(ours.map((value, k) => value - data[k]!)) / norm(data) };
    });
    expect(off.length).toBe(2 * 7 * weights.config.layers);
    expect(off.filter(({ relative }) => !(relative < 1e-3))).toEqual([]);
  });
});
