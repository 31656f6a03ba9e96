/** A request that a run has to make. */

import type { TeacherRequest } from '../teacher/teacher.ts';
import type { CanaryKind } from './canaries.ts';
import type { LlmJudge } from './judges.ts';

export interface Job {
  request: TeacherRequest;
  promptVersion: string;
  /** Who is asked; absent: the labeler. */
  judge?: LlmJudge;
  /** Asked of the second judge, whose scores choose nothing. */
  second?: true;
  /** Asked about a text that was spoilt in this way. */
  canary?: CanaryKind;
}
