/** The recorded teacher: answers an LLM gave once, read from a folder. It cannot answer anything new, and says so. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from '../corpus/json-lines.ts';
import { UserError } from '../foundation/errors.ts';
import { contentHash, fileSha256 } from '../foundation/hash.ts';
import type { ReformulatePromptName } from '../recipe/reformulate-prompt-names.ts';
import { judgeStage } from '../stage/judge.ts';
import { pairsStage } from '../stage/pairs.ts';
import type { StageName } from '../stage/stage.ts';
import { type Teacher, TeacherFailure } from './teacher.ts';

const pairsRow = z.object({
  doc_id: z.string(),
  pairs: z.array(z.object({ genre: z.string(), audience: z.string() })),
});
const textRow = z.object({
  id: z.string(),
  doc_id: z.string(),
  pair: z.int(),
  kind: z.string(),
  text: z.string(),
});
const judgementRow = z.object({
  text_id: z.string(),
  doc_id: z.string(),
  repeat: z.int().default(1),
  planted: z.string().optional(),
  analysis: z.string(),
  score: z.literal([1, 2, 3, 4, 5]),
});

/** Files of a recording; the last one is optional. */
const FILES = ['pairs.jsonl', 'texts.jsonl', 'judgements.jsonl', 'student-judgements.jsonl'];

/** Name of the recording in `folder`: changed files give another name, so that a run never mixes two recordings. */
export async function recordedTeacherName(folder: string): Promise<string> {
  const hashes: string[] = [];
  for (const file of FILES) {
    const path = join(folder, file);
    if (existsSync(path)) hashes.push(await fileSha256(path));
  }
  if (hashes.length === 0) {
    throw new UserError(
      `Cannot use the recorded teacher in ${folder}: the folder holds none of ${FILES.join(', ')}`,
      'Check `teacher.folder` in the recipe',
    );
  }
  return `recording-${contentHash(hashes).slice(0, 8)}`;
}

/**
 * Serves the recording in `folder`, keyed by stage and item. A missing recording is a failure of that request, not of the run.
 *
 * @param prompt the variant whose texts it serves: texts of the kind of that name
 */
export async function recordedTeacher(folder: string, prompt: ReformulatePromptName = 'base'): Promise<Teacher> {
  const name = await recordedTeacherName(folder);
  const answers = await readAnswers(folder, prompt);
  return {
    name,
    kind: 'recorded',
    async complete({ stage, item, repeat = 1 }, signal) {
      signal.throwIfAborted();
      const text = answers[stage]?.get(repeat === 1 ? item : againName(item, repeat));
      if (text === undefined) {
        const which = repeat === 1 ? `${stage} answer` : `${stage} answer number ${repeat}`;
        throw new TeacherFailure(`the recording in ${folder} holds no ${which} for ${item}`, 'refuse');
      }
      return { text, finishReason: 'stop', usage: { promptTokens: 0, completionTokens: 0 }, model: name, latencyMs: 0 };
    },
  };
}

/** Where a further rating of the same text stands among the answers. */
const againName = (item: string, repeat: number) => `${item}\u0000${repeat}`;

/**
 * Raw answers by stage and item: pairs `<docId>`, reformulate `<docId>/<k>`, judge the judged text's id. Ratings after the first one
 * stand under names of their own: a first rating given again would pass for perfect agreement.
 */
export async function readAnswers(
  folder: string,
  prompt: ReformulatePromptName = 'base',
): Promise<Record<StageName, Map<string, string>>> {
  const answers = {
    pairs: new Map<string, string>(),
    reformulate: new Map<string, string>(),
    judge: new Map<string, string>(),
  };
  for await (const row of rows(folder, 'pairs.jsonl', pairsRow)) {
    answers.pairs.set(row.doc_id, pairsStage.completion(row.pairs));
  }
  const items = new Map<string, string>();
  for await (const row of rows(folder, 'texts.jsonl', textRow)) {
    if (row.kind !== prompt) continue;
    items.set(row.id, `${row.doc_id}/${row.pair}`);
    answers.reformulate.set(`${row.doc_id}/${row.pair}`, row.text);
  }
  for (const file of ['judgements.jsonl', 'student-judgements.jsonl']) {
    for await (const row of rows(folder, file, judgementRow)) {
      const id = row.planted === undefined ? row.text_id : `${row.text_id}@${row.doc_id}`;
      const item = items.get(id);
      // A text of the variant may be judged twice: as the teacher's answer, and as a text of `collect.judgeTexts`.
      for (const judged of item === undefined ? [id] : [item, id])
        answers.judge.set(row.repeat === 1 ? judged : againName(judged, row.repeat), judgeStage.completion(row));
    }
  }
  return answers;
}

/** Scores of the ratings after the first one, by item as above: some texts were rated twice. */
export async function secondRatings(
  folder: string,
  prompt: ReformulatePromptName = 'base',
): Promise<Map<string, number>> {
  const items = new Map<string, string>();
  for await (const row of rows(folder, 'texts.jsonl', textRow)) {
    if (row.kind === prompt) items.set(row.id, `${row.doc_id}/${row.pair}`);
  }
  const ratings = new Map<string, number>();
  for await (const { text_id, repeat, planted, score } of rows(folder, 'judgements.jsonl', judgementRow)) {
    if (repeat === 2 && planted === undefined) ratings.set(items.get(text_id) ?? text_id, score);
  }
  return ratings;
}

async function* rows<S extends z.ZodType>(folder: string, file: string, schema: S): AsyncGenerator<z.output<S>> {
  if (existsSync(join(folder, file))) yield* readJsonLines(join(folder, file), schema);
}
