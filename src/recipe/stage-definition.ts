/** A stage of the recipe's own: its part of the schema, and what a definition may not say. */

import { z } from 'zod';
import { type JsonSchema, schemaProblems } from './json-schema.ts';
import { labelFields, labelValues, propertiesOf } from './label-fields.ts';

/** Stages the toolkit knows of itself. */
export const BUILT_IN_STAGES: readonly string[] = ['pairs', 'reformulate', 'judge'];

/** Names of fields of a document that a prompt may take in as `{{name}}`. */
export const PROMPT_FIELDS: readonly string[] = ['title', 'domain'];

export const stageDefinition = z.strictObject({
  kind: z
    .enum(['label', 'text'])
    .describe('`label`: every field of the answer has one of a few values; `text`: anything else'),
  prompt: z
    .string()
    .min(1)
    .describe('Asked of teacher and student, after the document; `{{title}}` and `{{domain}}` stand for those of it'),
  guidelines: z.string().optional().describe('Told to the teacher alone: definitions, border cases, examples'),
  response: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('JSON Schema of the answer, an object; without it (`text` only) the answer is the text'),
  metrics: z
    .array(z.enum(['accuracy', 'f1', 'distance']))
    .min(1)
    .default(['accuracy', 'f1'])
    .describe('What is measured of each `label` field; `distance`: mean difference of numbers'),
  abstain: z
    .strictObject({
      below: z.number().min(0).max(1).describe('Confidence under which a `label` field is left to someone else'),
    })
    .optional(),
  judge: z
    .strictObject({
      rubric: z
        .string()
        .min(1)
        .describe('What an answer is scored by, from 1 to 5; `text` only. Asked of the judge of the section `judge`'),
    })
    .optional(),
  maxTokens: z.int().positive().default(400).describe('Longest answer, in tokens'),
});

export type StageDefinition = z.output<typeof stageDefinition>;

/** The name under which the judgements of a stage are collected. */
export function ownJudgeName(stage: string): string {
  return `${stage}-judge`;
}

interface Problem {
  path: (string | number)[];
  message: string;
}

/** What is wrong with a recipe's own stages although each field is allowed; paths are those of the recipe. */
export function stageProblems(stages: Readonly<Record<string, StageDefinition>>): Problem[] {
  return Object.entries(stages).flatMap(([name, definition]) => {
    const problems = BUILT_IN_STAGES.includes(name)
      ? [{ path: [], message: `${name} is a stage of the toolkit: choose another name` }]
      : [
          ...promptProblems(definition),
          ...responseProblems(definition),
          ...measureProblems(definition),
          ...rubricProblems(name, definition, stages),
        ];
    return problems.map(({ path, message }) => ({ path: ['stages', name, ...path], message }));
  });
}

function promptProblems({ prompt }: StageDefinition): Problem[] {
  return [...prompt.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)]
    .map(([, field = '']) => field)
    .filter((field) => !PROMPT_FIELDS.includes(field))
    .map((field) => ({
      path: ['prompt'],
      message:
        field === 'document' || field === 'text'
          ? `{{${field}}} is not needed: the document always stands before the prompt`
          : `there is no {{${field}}}: a prompt may hold ${PROMPT_FIELDS.map((one) => `{{${one}}}`).join(' and ')}`,
    }));
}

function responseProblems({ kind, response }: StageDefinition): Problem[] {
  const at = (path: (string | number)[], message: string) => [{ path: ['response', ...path], message }];
  if (response === undefined) {
    return kind === 'label' ? at([], 'missing: a label stage says which fields and values its answers have') : [];
  }
  const wrong = schemaProblems(response);
  if (wrong.length > 0) return wrong.flatMap(({ path, message }) => at(path, message));
  if (response.type !== 'object') return at(['type'], 'an answer is an object: write type: object');
  const properties = Object.entries(propertiesOf(response));
  if (properties.length === 0) return at(['properties'], 'the answer has no properties');
  if (kind !== 'label') return [];
  return properties
    .filter(([, property]) => labelValues(property) === undefined)
    .flatMap(([name]) =>
      at(['properties', name], 'a label has 2 to 100 values: give enum, boolean, or integer with minimum and maximum'),
    );
}

function measureProblems({ kind, response, metrics, abstain }: StageDefinition): Problem[] {
  const problems: Problem[] = [];
  if (kind !== 'label' && abstain) problems.push({ path: ['abstain'], message: 'only label stages can abstain' });
  const at = metrics.indexOf('distance');
  if (at >= 0 && !labelFields(response ?? {}).some(({ ordered }) => ordered)) {
    problems.push({ path: ['metrics', at], message: 'distance needs a field whose values are numbers' });
  }
  return problems;
}

function rubricProblems(
  name: string,
  { kind, judge }: StageDefinition,
  stages: Readonly<Record<string, StageDefinition>>,
): Problem[] {
  if (judge === undefined) return [];
  if (kind === 'label') {
    return [{ path: ['judge'], message: "labels are held against the teacher's: only text stages are judged" }];
  }
  const taken = ownJudgeName(name);
  return taken in stages
    ? [{ path: ['judge'], message: `its judgements are named ${taken}, which is a stage of the recipe: rename that` }]
    : [];
}

/** The schema that answers are held against: those of a label stage have every property and no other. */
export function answerSchema({ kind, response }: StageDefinition): JsonSchema | undefined {
  if (response === undefined || kind !== 'label') return response;
  return { ...response, required: Object.keys(propertiesOf(response)), additionalProperties: false };
}
