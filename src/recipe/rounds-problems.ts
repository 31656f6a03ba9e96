/** Contradictions of a recipe with several rounds. */

import { isSameJudge } from './same-judge.ts';
import type { Recipe } from './schema.ts';

interface Problem {
  path: (string | number)[];
  message: string;
}

/** Each at the path where a person would mend it; none where there is one round. */
export function roundsProblems(recipe: Recipe): Problem[] {
  const { rounds, judge, teacher, students } = recipe;
  if (rounds.count === 1) return [];
  const problems: Problem[] = [];
  const learnt = students.flatMap(({ stages }) => stages);
  if (isSameJudge(recipe) && !rounds.sameJudge) {
    problems.push({
      path: ['validate', 'judge'],
      message:
        'the LLM that filters the training texts would also make the table: name another one or another prompt, or insist with rounds.sameJudge',
    });
  }
  if (rounds.judge === 'teacher' && (judge.teacher ?? teacher).kind === 'recorded') {
    problems.push({
      path: ['rounds', 'judge'],
      message: 'a recording cannot judge what students write: use local, or name a judge.teacher',
    });
  }
  if (rounds.rejudgeBy?.kind === 'recorded') {
    problems.push({ path: ['rounds', 'rejudgeBy'], message: 'a recording judges nothing anew: leave it out' });
  }
  if (learnt.every((stage) => stage === 'judge')) {
    problems.push({
      path: ['rounds', 'count'],
      message: 'no student writes anything that tells one round from another',
    });
  }
  if (rounds.failed > 0 && !learnt.includes('pairs') && !learnt.includes('reformulate')) {
    problems.push({
      path: ['rounds', 'failed'],
      message:
        "whether a student fails on documents without the teacher's answer is known of pairs and reformulate alone",
    });
  }
  return problems;
}
