/** `curate`: which of the teacher's answers become samples. */

import { z } from 'zod';
import { CLEANING_RULES, PATTERN_LISTS } from './cleaning-names.ts';

const share = z.number().min(0).max(1);

const balance = z.strictObject({
  embedder: z.string().default('all-minilm-l6-v2').describe('Sentence embedder: `all-minilm-l6-v2`, or a folder'),
  clusters: z.int().min(2).default(12).describe('Clusters of genres, and of audiences'),
  most: z.number().min(1).default(2).describe('Most training samples of a cluster, as a multiple of its even share'),
});

const judgeRows = z.strictObject({
  negatives: z.int().min(0).max(5).default(2).describe('Hard negatives made of the texts of each document'),
  teacherTexts: z.int().min(0).default(1).describe("The teacher's own texts of a document that are kept"),
  kinds: z.array(z.string()).optional().describe('Kinds of `collect.judgeTexts` that are kept; default: all'),
  soft: z
    .boolean()
    .default(true)
    .describe('Where a judgement has a distribution over the scores (`judge.logprobs`), the student learns it whole'),
});

const keep = z.strictObject({
  top: z.int().positive().optional().describe('Of the reformulations that pass, this many best by score (top-k)'),
  ratio: z.number().gt(0).max(1).optional().describe('The same as a share of them'),
});

export const curateSchema = z.strictObject({
  minScore: z
    .int()
    .min(1)
    .max(5)
    .default(4)
    .describe('Lowest judge score of a kept reformulation, or answer of a judged stage of your own'),
  rules: z
    .array(z.string())
    .default([...CLEANING_RULES])
    .describe('Cleaning rules that written texts are held against (docs/curating.md)'),
  patterns: z
    .array(z.string())
    .default([...PATTERN_LISTS])
    .describe('Pattern lists of the rule `boilerplate`: names of data/patterns, or paths of YAML files of your own'),
  maxRepeated: share.default(0.1).describe('Highest share of 6-word runs that repeat an earlier one (rule `loops`)'),
  maxCompression: z
    .number()
    .min(1)
    .default(2.6)
    .describe('Highest compression ratio of the last 1,000 characters (rule `loops`)'),
  minLength: z
    .number()
    .min(0)
    .default(0.4)
    .describe("Fewest words, as a multiple of the source's (rule `length-ratio`)"),
  maxLength: z.number().min(0).default(4).describe("Most words, as a multiple of the source's (rule `length-ratio`)"),
  minKeywordCoverage: share.default(0.1).describe('Lowest share of source keywords in a kept text'),
  maxCopied: share.default(0.5).describe('Highest share of 8-grams copied from the source'),
  duplicateSimilarity: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.7)
    .describe('Share of common 5-word runs from which the later of two samples is a near-duplicate'),
  keep: keep.optional().describe('Of reformulations that pass, the best; default: all'),
  maxSamples: z
    .union([z.int().positive(), z.record(z.string(), z.int().positive())])
    .optional()
    .describe('Most samples a stage keeps: one number, or one a stage'),
  balance: balance.optional().describe('Cap over-represented genres and audiences; default: no cap'),
  judge: judgeRows.prefault({}).describe('Samples of the stage `judge`'),
});
