/** `validate.arms`: whose answers stand in the table, by a name for what every run has, by a section for anything else. */

import { z } from 'zod';
import { REFORMULATE_PROMPTS } from './reformulate-prompt-names.ts';

/** What a run has by itself. `student-w8a8` is the student in the form that `export.adapter` names. */
export const OWN_ARMS = [
  'teacher',
  'base',
  'student',
  'student-w8a8',
  'student-w8a8-beside',
  'student-w8a8-merged',
] as const;

export type OwnArm = (typeof OWN_ARMS)[number];

/** Names no further arm may take: those of own arms, and of the other kinds of text that embeddings show beside the arms. */
export const TAKEN_NAME = /^(?:(?:teacher|base|student)(?:-w8a8.*)?|source|strict|relaxed)$/;

/** The schema of the list; sections that stand elsewhere in the recipe, too, are given. */
export function armsSchema<Price extends z.ZodType, Generate extends z.ZodType>(parts: {
  price: Price;
  generate: Generate;
}) {
  const shared = {
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
      .describe('Its row in the table'),
    stages: z.array(z.string()).min(1).optional().describe('Tables it stands in; default: all it can answer for'),
  };
  const generate = parts.generate
    .optional()
    .describe("Overrides of the sampling; default: that of this recipe's student");
  const prompt = z.enum(['student', 'teacher']);
  const variant = z
    .enum(REFORMULATE_PROMPTS)
    .optional()
    .describe('Variant of the reformulation prompt; default: that of `reformulate.prompt`');
  const further = z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('model'),
      ...shared,
      model: z.string().describe('Alias, hub id, model folder or GGUF file'),
      prompt: prompt.default('student').describe("The students' short prompt, or the teacher's full instruction"),
      variant,
      generate,
    }),
    z.strictObject({
      kind: z.literal('run'),
      ...shared,
      run: z.string().describe('Folder of the other run; its student is asked with the prompt it has learnt'),
      student: z.string().optional().describe('Default: its student that learnt the stage'),
      precision: z.enum(['f32', 'w8a8']).default('w8a8'),
      generate,
    }),
    z.strictObject({
      kind: z.literal('server'),
      ...shared,
      model: z.string().describe('Model name the server knows'),
      baseUrl: z
        .url({ protocol: /^https?$/ })
        .describe('Of any OpenAI-compatible server, for example http://localhost:8000/v1'),
      apiKeyEnv: z
        .string()
        .default('OPENAI_API_KEY')
        .describe('Environment variable with the key; never the key itself'),
      prompt: prompt.default('teacher').describe("The teacher's full instruction, or the students' short prompt"),
      variant,
      temperature: z.number().min(0).max(2).default(0.7),
      price: parts.price.optional(),
    }),
  ]);
  return z
    .array(z.union([z.enum(OWN_ARMS), further]))
    .min(1)
    .default(['teacher', 'base', 'student', 'student-w8a8'])
    .describe('Rows of the table: by name, or as a section of one of the kinds below');
}
