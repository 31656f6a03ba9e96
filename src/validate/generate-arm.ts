/** An arm's outputs: the teacher's from the ledger, a local model's by generating what is missing. */

import type { Collected } from '../collect/collected.ts';
import { complete } from '../curate/measures/complete.ts';
import { readManifest } from '../foundation/artifact.ts';
import { InterruptedError } from '../foundation/errors.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { GenerationModel } from '../generate/decoder.ts';
import { generate } from '../generate/generate.ts';
import { f32Model } from '../model/runtime-model.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { f32Student, loadStudent, w8a8Student } from '../quantize/student-model.ts';
import type { Recipe } from '../recipe/schema.ts';
import { pairsStage } from '../stage/pairs.ts';
import type { StageName } from '../stage/stage.ts';
import type { GenerationLine, GenerationsFile } from './generations-file.ts';
import type { ValidationInput } from './inputs.ts';

export type Arm = Recipe['validate']['arms'][number];

/** What the teacher answered to these inputs. An input without an answer gives an empty, incomplete output. */
export function teacherOutputs(inputs: readonly ValidationInput[], collected: Collected): GenerationLine[] {
  return inputs.map(({ stage, docId, item }) => {
    const pairs = stage === 'pairs' ? collected.pairs.get(docId) : undefined;
    const answer = stage === 'reformulate' ? collected.texts.get(item) : undefined;
    const text = pairs ? pairsStage.completion(pairs) : (answer?.text ?? '');
    return {
      arm: 'teacher',
      model: collected.teacher,
      stage,
      doc_id: docId,
      item,
      text,
      complete: complete(text, answer ? answer.finishReason !== 'length' : text !== ''),
      tokens: 0,
      seconds: 0,
      made_from: collected.answersHash,
    };
  });
}

/** Generates what `file` does not hold of an arm's outputs. Returns them all, in the order of the inputs. */
export async function studentOutputs(
  arm: Exclude<Arm, 'teacher'>,
  stage: StageName,
  inputs: readonly ValidationInput[],
  recipe: Recipe,
  folder: RunFolder,
  file: GenerationsFile,
  context: RunContext,
): Promise<GenerationLine[]> {
  const name = recipe.students.find(({ stages }) => stages.includes(stage))!.name;
  const madeFrom = contentHash({
    generate: recipe.generate,
    seed: recipe.seed,
    ...(arm === 'base'
      ? { base: recipe.train.model }
      : { student: readManifest(folder.student(name))?.inputHash ?? null }),
    ...(arm === 'student-w8a8' ? { form: recipe.export.adapter } : {}),
  });
  const lineOf = ({ item }: ValidationInput) => file.get({ arm, stage, item, made_from: madeFrom });
  const missing = inputs.filter((input) => !lineOf(input));
  if (missing.length > 0) {
    const student = await loadStudent(recipe, folder, name, context);
    const model: GenerationModel =
      arm === 'base'
        ? { model: f32Model(student.weights) }
        : arm === 'student'
          ? f32Student(student)
          : w8a8Student(student, recipe.export.adapter);
    const tokenizer = await loadTokenizer(student.modelFolder);
    const byItem = new Map(missing.map((input) => [input.item, input]));
    const requests = missing.map(({ item, prompt }) => ({
      id: item,
      prompt: tokenizer.chatPrompt(prompt),
      seed: `${recipe.seed} ${stage} ${item}`,
    }));
    const label = `${stage}, ${arm}`;
    let done = inputs.length - missing.length;
    const results = generate(model, requests, recipe.generate, {
      signal: context.signal,
      eosTokenIds: tokenizer.eosTokenIds,
    });
    for await (const { id, tokens, complete: stopped, seconds } of results) {
      const text = tokenizer.decode(tokens).trim();
      const { docId } = byItem.get(id)!;
      file.append({
        arm,
        model: arm === 'base' ? student.settings.model : name,
        stage,
        doc_id: docId,
        item: id,
        text,
        complete: complete(text, stopped),
        tokens: tokens.length,
        seconds,
        made_from: madeFrom,
      });
      done++;
      context.emit({
        type: 'command-progress',
        command: 'validate',
        label,
        done,
        total: inputs.length,
        unit: 'outputs',
      });
      context.emit({ type: 'sample-made', stage, source: arm, docId, text });
    }
  }
  if (context.signal.aborted) throw new InterruptedError('Stopped while generating; what was written is kept');
  return inputs.map((input) => lineOf(input)!);
}
