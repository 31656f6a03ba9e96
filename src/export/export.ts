/** `mga export`: every student in the forms other programs load. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isComplete, readManifest, writeManifest } from '../foundation/artifact.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { f32Model } from '../model/runtime-model.ts';
import { type AdaptedModel, loadStudent, mergedWeights, type Student, w8a8Student } from '../quantize/student-model.ts';
import type { Recipe, StudentSettings } from '../recipe/schema.ts';
import { studentGenerate } from '../recipe/student-generate.ts';
import { transformersJsConfig, writeHubFiles } from './hub-files.ts';
import { baseName, defaultDtype, writeModelCards, writesPeft } from './model-card.ts';
import { decoderModel } from './onnx-decoder.ts';
import { writePeft } from './peft.ts';
import { writeCompressedFolder, writeMergedFolder } from './safetensors-folder.ts';
import { writeOnnx } from './write-onnx.ts';

/** Part of the inputs' identity: raise it when the files change, so that they are written again. */
const EXPORT_VERSION = 1;

type Precision = Recipe['export']['onnx'][number];

/** File names transformers.js looks for. */
const FILES: Record<Precision, string> = { f32: 'model.onnx', w8a8: 'model_quantized.onnx' };

/**
 * Writes export/<name> of each student: ONNX files with config and tokenizer, which transformers.js loads as a model
 * folder, the PEFT adapter, and the model card. Complete ones are skipped.
 *
 * @throws UserError where a student is not trained, or not quantized although w8a8 is asked for
 * @throws InterruptedError between files; nothing half-written is taken for complete
 */
export async function exportStudents(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<void> {
  for (const student of recipe.students) await exportStudent(recipe, student, folder, context);
  writeModelCards(recipe, folder);
}

async function exportStudent(recipe: Recipe, settings: StudentSettings, folder: RunFolder, context: RunContext) {
  const { name } = settings;
  const generate = studentGenerate(recipe, settings);
  const { emit, signal } = context;
  const started = performance.now();
  const target = folder.exported(name);
  const made = (artifact: string) => readManifest(artifact)?.inputHash ?? null;
  const inputs = {
    version: EXPORT_VERSION,
    student: made(folder.student(name)),
    quantized: made(join(folder.student(name), 'w8a8')),
    export: recipe.export,
    generate,
  };
  if (inputs.student && isComplete(target, inputs)) {
    emit({ type: 'command-skip', command: 'export', reason: `${name} is exported` });
    return;
  }
  const { onnx, safetensors, adapter: form } = recipe.export;
  const peft = writesPeft(recipe, settings);
  const total = onnx.length + (peft ? 1 : 0) + safetensors.length;
  emit({ type: 'command-start', command: 'export', detail: name, total, unit: 'files' });
  let done = 0;
  const finished = () => {
    done++;
    emit({ type: 'command-progress', command: 'export', label: name, done, total, unit: 'files' });
    if (signal.aborted) throw new InterruptedError();
  };

  const student = await loadStudent(recipe, folder, name, context);
  for (const part of ['manifest.json', 'onnx', 'peft', 'safetensors', 'compressed-tensors'])
    rmSync(join(target, part), { recursive: true, force: true });
  const dataFiles: Record<string, number> = {};
  for (const precision of onnx) {
    const count = writeOnnx(join(target, 'onnx', FILES[precision]), decoderModel(formOf(student, precision, form)));
    if (count > 0) dataFiles[FILES[precision]] = count;
    finished();
  }
  const extra = onnx.length > 0 ? transformersJsConfig(defaultDtype(onnx), dataFiles) : {};
  writeHubFiles(target, student.modelFolder, generate, extra);
  if (peft && student.adapter) {
    const base = { name: baseName(student.settings.model), sha256: student.sha256 };
    writePeft(join(target, 'peft'), student.weights.config, student.adapter, base);
    finished();
  }
  for (const precision of safetensors) {
    if (precision === 'f32') writeMergedFolder(join(target, 'safetensors'), student, generate);
    else writeCompressedFolder(join(target, 'compressed-tensors'), student, generate);
    finished();
  }
  const seconds = (performance.now() - started) / 1000;
  writeManifest(target, { kind: 'export', inputs, seconds, facts: { base_sha256: student.sha256 } });
  emit({ type: 'command-end', command: 'export', seconds, summary: `${name}: ${total} files in ${target}` });
}

/** What a precision's file holds. In f32 the adapter is merged: nothing is rounded, and the file is a plain decoder. */
function formOf(student: Student, precision: Precision, form: Recipe['export']['adapter']): AdaptedModel {
  return precision === 'f32' ? { model: f32Model(mergedWeights(student)) } : w8a8Student(student, form);
}
