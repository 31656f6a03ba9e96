/** README.md of an exported student: what it is, how it is used, and its Table 1. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageVersion, readManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { ALIASES } from '../model/aliases.ts';
import type { Recipe, StudentSettings } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';

const JOBS: Readonly<Record<string, string>> = {
  pairs: 'proposes five genre-audience pairs for a document',
  reformulate: 'rewrites a document for a genre and an audience',
  judge: 'judges from 1 to 5 how far a rewrite keeps to its document',
};

/** The name the base is known by outside: its hub id where it has one. */
export function baseName(model: string): string {
  return ALIASES[model.toLowerCase()]?.hubId ?? model;
}

/** Whether a student's export has an adapter for PEFT: one whose weights were all trained has none. */
export function writesPeft(recipe: Recipe, student: StudentSettings): boolean {
  return recipe.export.peft && studentTrain(recipe, student).method === 'lora';
}

/**
 * Writes export/<name>/README.md of every exported student. Called again once validation/table1.md exists, it puts the
 * table in.
 */
export function writeModelCards(recipe: Recipe, folder: RunFolder): void {
  for (const student of recipe.students) {
    if (!existsSync(join(folder.exported(student.name), 'manifest.json'))) continue;
    const path = join(folder.exported(student.name), 'README.md');
    const card = modelCard(recipe, student, folder);
    if (!existsSync(path) || readFileSync(path, 'utf8') !== card) writeFileAtomic(path, card);
  }
}

function modelCard(recipe: Recipe, student: StudentSettings, folder: RunFolder): string {
  const settings = studentTrain(recipe, student);
  const base = baseName(settings.model);
  const { onnx, adapter, safetensors } = recipe.export;
  const isFull = settings.method === 'full';
  const facts = readManifest(folder.student(student.name))?.facts ?? {};
  const rounded = adapter === 'beside' ? 'f32 adapter beside the int8 base' : 'adapter merged, then rounded to int8';
  const form = isFull ? 'rounded to int8' : rounded;
  const merged = isFull ? '' : ', adapter merged';
  const lora = `LoRA rank ${settings.lora.rank}, alpha ${settings.lora.alpha}`;
  const rows = [
    [
      'Jobs',
      student.stages.map((stage) => `\`${stage}\`: ${JOBS[stage] ?? 'a stage of its recipe, below'}`).join('; '),
    ],
    ['Base', `${base}, SHA-256 of its weights \`${String(facts.base_sha256 ?? 'unknown')}\``],
    ['Training', `${isFull ? 'all weights' : lora}, precision ${settings.precision}`],
    ['Teacher', recipe.teacher.kind === 'openai' ? recipe.teacher.model : 'a recorded LLM'],
    ['Dev loss', lossText(facts)],
  ];
  const files = [
    ...(onnx.includes('f32') ? [`\`onnx/model.onnx\`: f32${merged} (\`dtype: "fp32"\`)`] : []),
    ...(onnx.includes('w8a8') ? [`\`onnx/model_quantized.onnx\`: W8A8, ${form} (\`dtype: "q8"\`)`] : []),
    ...(writesPeft(recipe, student)
      ? ['`peft/`: the LoRA adapter for Python (`PeftModel.from_pretrained`), for the base as it is on the hub']
      : []),
    ...(safetensors.includes('f32') ? [`\`safetensors/\`: f32${merged}, for transformers`] : []),
    ...(safetensors.includes('w8a8')
      ? ['`compressed-tensors/`: rounded to W8A8, for vLLM and transformers with compressed-tensors']
      : []),
  ];
  return `---
base_model: ${base}
library_name: transformers.js
pipeline_tag: text-generation
tags: [mga-distill]
---

# ${student.name}

A student of recipe \`${recipe.name}\`, made by mga-distill ${packageVersion()}.

| | |
|---|---|
${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}

## Use

\`\`\`js
import { AutoModelForCausalLM, AutoTokenizer } from '@huggingface/transformers';

const tokenizer = await AutoTokenizer.from_pretrained(FOLDER);
const model = await AutoModelForCausalLM.from_pretrained(FOLDER${onnx.length > 0 ? `, { dtype: '${defaultDtype(onnx)}' }` : ''});
const inputs = tokenizer.apply_chat_template([{ role: 'user', content: PROMPT }], { add_generation_prompt: true, return_dict: true });
const output = await model.generate(inputs);
console.log(tokenizer.batch_decode(output, { skip_special_tokens: true })[0]);
\`\`\`

A prompt is one user message: \`Document:\`, a line break, the document, an empty line, and the instruction of the job.

## Files

${files.map((line) => `- ${line}`).join('\n')}

${table(folder)}`;
}

/** What is loaded where the caller names no precision: the deployed one. */
export function defaultDtype(onnx: Recipe['export']['onnx']): 'fp32' | 'q8' {
  return onnx.includes('w8a8') ? 'q8' : 'fp32';
}

function lossText({ dev_loss_before: before, dev_loss: after }: Record<string, unknown>): string {
  const text = (loss: unknown) => (typeof loss === 'number' ? loss.toFixed(3) : 'not measured');
  return `${text(before)} before, ${text(after)} after training (nats a token)`;
}

function table(folder: RunFolder): string {
  const path = join(folder.validation, 'table1.md');
  return existsSync(path) ? readFileSync(path, 'utf8') : 'Not validated yet: `mga validate` adds Table 1 here.\n';
}
