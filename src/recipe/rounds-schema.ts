/** `rounds`: iterative filtering and training. */

import { z } from 'zod';

/** The schema of the section; the section `teacher` is given. */
export function roundsSchema<Teacher extends z.ZodType>(teacher: Teacher) {
  return z.strictObject({
    count: z
      .int()
      .min(1)
      .max(99)
      .default(1)
      .describe('Rounds of labeling, filtering and training, at most (docs/collecting.md)'),
    documents: z
      .int()
      .positive()
      .optional()
      .describe('New training documents a round; default: equal shares of the training split'),
    failed: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Share of them that are drawn from documents the current students fail; the others are drawn blindly'),
    minGain: z
      .number()
      .default(0)
      .describe('Points of usable dev outputs that a round has to gain over the one before; with less it is the last'),
    devDocuments: z.int().positive().optional().describe('Dev documents that are judged each round; default: all'),
    judge: z
      .enum(['local', 'teacher'])
      .optional()
      .describe(
        'Who scores what students write during the rounds; default: the LLM of the section `judge`, the local judge where that is a recording',
      ),
    rejudge: z
      .int()
      .min(0)
      .default(50)
      .describe('Kept texts of each round that are judged again, to see how far their scores shrink'),
    rejudgeBy: teacher
      .optional()
      .describe(
        'Who judges them again, as the section `teacher`; default: the judge once more, and beside a recording the local judge',
      ),
    sameJudge: z
      .boolean()
      .default(false)
      .describe('Let the LLM that filters training texts also make the table; the report then warns'),
  });
}
