/** Exports as Python reads them: the adapter by PEFT, the merged and the int8 folder by transformers. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePeft } from '../../src/export/peft.ts';
import { writeCompressedFolder, writeMergedFolder } from '../../src/export/safetensors-folder.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Tensor } from '../../src/graph/value.ts';
import { emitGraph } from '../../src/onnx/emit.ts';
import { createSession } from '../../src/onnx/session.ts';
import { f32Student, w8a8Student } from '../../src/quantize/student-model.ts';
import { type AdapterStudent, engineLogits, recipeWith, tinyStudent } from '../export-setup.ts';
import { python } from './python.ts';
import '../matchers.ts';

const root = mkdtempSync(join(tmpdir(), 'export-interop-'));
let student: AdapterStudent;
beforeAll(async () => {
  student = await tinyStudent(root);
});
afterAll(() => rmSync(root, { recursive: true }));

const TOKENS = Array.from({ length: 40 }, (_, i) => (i * i * 5 + 40) % 256);
const { generate } = recipeWith({});

/** Logits of TOKENS by transformers; with a third argument, through that PEFT adapter. */
const LOGITS = `
import json, sys, torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
if len(sys.argv) > 3:
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, sys.argv[3])
model.eval()
with torch.no_grad():
    logits = model(torch.tensor([json.loads(sys.argv[2])])).logits[0].float()
print(json.dumps(logits.flatten().tolist()))
`;

function pythonLogits(folder: string, ...adapter: string[]) {
  const data = python(LOGITS, folder, JSON.stringify(TOKENS), ...adapter) as number[];
  return { shape: [data.length], data };
}

function tensor(data: Float32Array) {
  return { shape: [data.length], data };
}

test('PEFT on the base gives the logits of the engine', async () => {
  const folder = join(root, 'peft');
  writePeft(folder, student.weights.config, student.adapter, { name: student.modelFolder, sha256: student.sha256 });
  const expected = tensor(await engineLogits(f32Student(student), TOKENS));
  expect(pythonLogits(student.modelFolder, folder)).toBeNearTensor(expected, 1e-5);
  expect(pythonLogits(student.modelFolder)).not.toBeNearTensor(expected, 0.1);
});

test('transformers loads the merged folder', async () => {
  const folder = join(root, 'merged');
  writeMergedFolder(folder, student, generate);
  const expected = tensor(await engineLogits(f32Student(student), TOKENS));
  expect(pythonLogits(folder)).toBeNearTensor(expected, 1e-5);
});

/** Input and output of each linear, as the last run of TOKENS saw them. */
const LINEARS = `
import json, sys, torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(sys.argv[1]).eval()
seen = {}
def watch(name):
    return lambda module, inputs, output: seen.__setitem__(name, {"x": inputs[0][0].tolist(), "y": output[0].tolist()})
for name, module in model.named_modules():
    if name.endswith("q_proj") or name.endswith("down_proj"):
        module.register_forward_hook(watch(name))
with torch.no_grad():
    model(torch.tensor([json.loads(sys.argv[2])]))
print(json.dumps(seen))
`;

test('compressed-tensors loads the int8 folder, and its linears compute what ours do', async () => {
  const folder = join(root, 'compressed');
  writeCompressedFolder(folder, student, generate);
  const { model } = w8a8Student(student, 'merged');
  const seen = python(LINEARS, folder, JSON.stringify(TOKENS)) as Record<string, { x: number[][]; y: number[][] }>;
  expect(Object.keys(seen)).toHaveLength(2 * model.config.layers);
  for (const [name, { x, y }] of Object.entries(seen)) {
    const ours = await int8Product(
      x,
      model.layers[Number(name.split('.')[2])]!,
      name.endsWith('q_proj') ? 'q' : 'down',
    );
    for (const [i, row] of x.entries()) {
      const absmax = Math.max(...row.map(Math.abs));
      // -absmax is a tie on the grid: -128 here, there -127 where the rounding of absmax / 127.5 says so.
      if (row.includes(-absmax)) continue;
      const expected = { shape: [y[i]!.length], data: y[i]! };
      expect({ shape: expected.shape, data: ours[i]! }, name).toBeNearTensor(expected, 1e-5);
    }
  }
});

test('the int8 folder as a whole is as near to the engine as such ties leave it', async () => {
  const folder = join(root, 'whole');
  writeCompressedFolder(folder, student, generate);
  // Each tie changes what later layers round; a wrong reading of the folder is off by more than the largest logit.
  const expected = tensor(await engineLogits(w8a8Student(student, 'merged'), TOKENS));
  expect(pythonLogits(folder)).toBeNearTensor(expected, 0.05);
});

/** Rows of x times the linear's int8 weight, on our grid. */
async function int8Product(x: number[][], weights: Readonly<Record<string, Tensor>>, name: 'q' | 'down') {
  const [inputs, outputs] = weights[`${name}.int8`]!.shape as [number, number];
  const g = new GraphBuilder();
  const y = g.op('Int8MatMul', [
    g.input('x', 'float32', [x.length, inputs]),
    g.input(`${name}.int8`, 'int8', [inputs, outputs]),
    g.input(`${name}.scale`, 'float32', [outputs]),
  ]);
  const session = await createSession(emitGraph(g, { y }).bytes);
  const rows: Tensor = { dtype: 'float32', shape: [x.length, inputs], data: Float32Array.from(x.flat()) };
  const out = (await session.run({ ...weights, x: rows })).y!.data as Float32Array;
  await session.release();
  return x.map((_, i) => out.subarray(i * outputs, (i + 1) * outputs));
}
