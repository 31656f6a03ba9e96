/** What a recipe may not say although each of its fields is allowed. */

import { TAKEN_NAME } from './arms-schema.ts';
import { CLEANING_RULES } from './cleaning-names.ts';
import { nearestName } from './nearest-name.ts';
import { patternListProblem } from './pattern-list.ts';
import { roundsProblems } from './rounds-problems.ts';
import type { Recipe } from './schema.ts';
import { BUILT_IN_STAGES, stageProblems } from './stage-definition.ts';
import { studentTrain } from './student-train.ts';

interface Problem {
  path: (string | number)[];
  message: string;
}

const stageNames = ({ stages }: Recipe) => [...BUILT_IN_STAGES, ...Object.keys(stages)];

function unknownName(kind: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return `there is no ${kind} ${name}${nearest ? `; did you mean ${nearest}?` : `: known are ${known.join(', ')}`}`;
}

/** The contradictions of a recipe, each at the path where a person would mend it. */
export function crossFieldProblems(recipe: Recipe): Problem[] {
  return [
    ...stageProblems(recipe.stages),
    ...collectProblems(recipe),
    ...cleaningProblems(recipe),
    ...studentProblems(recipe),
    ...splitProblems(recipe),
    ...judgeProblems(recipe),
    ...providerProblems(recipe),
    ...curateProblems(recipe),
    ...roundsProblems(recipe),
    ...armProblems(recipe),
  ];
}

function collectProblems(recipe: Recipe): Problem[] {
  const { collect } = recipe;
  const known = stageNames(recipe);
  const needs = { reformulate: 'pairs', judge: 'reformulate' } as const;
  const problems: Problem[] = Object.entries(needs)
    .filter(([stage, needed]) => collect.stages.includes(stage) && !collect.stages.includes(needed))
    .map(([stage, needed]) => ({
      path: ['collect', 'stages'],
      message: `${stage} works on the answers of ${needed}, which is not collected`,
    }));
  collect.stages.forEach((name, i) => {
    if (!known.includes(name)) {
      problems.push({ path: ['collect', 'stages', i], message: unknownName('stage', name, known) });
    }
  });
  if (collect.judgeTexts !== undefined && !collect.stages.includes('judge')) {
    problems.push({
      path: ['collect', 'judgeTexts'],
      message: 'texts to be judged, but judge is not in collect.stages',
    });
  }
  return problems;
}

function cleaningProblems({ curate }: Recipe): Problem[] {
  const rules = curate.rules.flatMap((name, i) =>
    CLEANING_RULES.some((known) => known === name)
      ? []
      : [{ path: ['curate', 'rules', i], message: unknownName('cleaning rule', name, CLEANING_RULES) }],
  );
  const patterns = curate.patterns.flatMap((list, i) => {
    const message = patternListProblem(list);
    return message === undefined ? [] : [{ path: ['curate', 'patterns', i], message }];
  });
  return [...rules, ...patterns];
}

function studentProblems(recipe: Recipe) {
  const known = stageNames(recipe);
  const owners = new Map<string, string>();
  const names = new Set<string>();
  return recipe.students.flatMap((student, i) => {
    const problems: Problem[] = [];
    if (names.has(student.name)) {
      problems.push({ path: ['students', i, 'name'], message: `a second student named ${student.name}` });
    }
    names.add(student.name);
    student.stages.forEach((stage, k) => {
      const path = ['students', i, 'stages', k];
      const owner = owners.get(stage);
      if (!known.includes(stage)) problems.push({ path, message: unknownName('stage', stage, known) });
      else if (!recipe.collect.stages.includes(stage)) {
        problems.push({ path, message: `${stage} is not in collect.stages, so there is nothing to learn it from` });
      }
      if (owner !== undefined) problems.push({ path, message: `${stage} is already the job of student ${owner}` });
      owners.set(stage, student.name);
    });
    const { method, precision } = studentTrain(recipe, student);
    if (method === 'full' && precision === 'w8a8') {
      problems.push({
        path: student.train?.method ? ['students', i, 'train', 'method'] : ['train', 'method'],
        message:
          'full fine-tuning changes every weight, so it cannot go through frozen int8 weights: set precision to f32',
      });
    }
    return problems;
  });
}

function splitProblems({ splits }: Recipe) {
  if (splits.file !== undefined) return [];
  if (splits.dev === 0) return [{ path: ['splits', 'dev'], message: 'dev loss needs a share above 0' }];
  if (splits.dev + splits.validation >= 1) {
    return [{ path: ['splits'], message: 'dev and validation leave no documents to train on' }];
  }
  return [];
}

function judgeProblems(recipe: Recipe) {
  const { teacher, judge, validate } = recipe;
  const problems: { path: (string | number)[]; message: string }[] = [];
  const validating = validate.judge.teacher ?? judge.teacher ?? teacher;
  if (validate.judge.kind !== 'local' && validating.kind === 'recorded') {
    problems.push({
      path: ['validate', 'judge', 'kind'],
      message: 'a recorded teacher cannot judge new texts: use local, or name a judge.teacher',
    });
  }
  if (validate.judge.cascade !== undefined && validate.judge.kind !== 'local') {
    problems.push({
      path: ['validate', 'judge', 'cascade'],
      message: 'the LLM judges every text already: set kind to local, or leave cascade out',
    });
  } else if (validate.judge.cascade !== undefined && validating.kind === 'recorded') {
    problems.push({
      path: ['validate', 'judge', 'cascade'],
      message: 'a recorded teacher cannot judge new texts: name a judge.teacher of kind openai, or leave cascade out',
    });
  }
  const same = (one: Recipe['teacher'], other: Recipe['teacher'] | undefined) =>
    one.kind === 'recorded'
      ? other?.kind === 'recorded' && one.folder === other.folder
      : other?.kind === 'openai' && one.model === other.model;
  if (same(judge.teacher ?? teacher, judge.second)) {
    problems.push({ path: ['judge', 'second'], message: 'the second judge is the first one' });
  }
  if (same(validating, validate.judge.second)) {
    problems.push({ path: ['validate', 'judge', 'second'], message: 'the second judge is the first one' });
  }
  return problems;
}

function providerProblems({ teacher, judge, validate, rounds }: Recipe) {
  const sections: [string[], Recipe['teacher'] | undefined][] = [
    [['teacher'], teacher],
    [['judge', 'teacher'], judge.teacher],
    [['judge', 'second'], judge.second],
    [['validate', 'judge', 'teacher'], validate.judge.teacher],
    [['validate', 'judge', 'second'], validate.judge.second],
    [['rounds', 'rejudgeBy'], rounds.rejudgeBy],
  ];
  return sections.flatMap(([path, section]) => {
    if (section?.kind !== 'openai' || section.providers === undefined) return [];
    const names = new Set<string>();
    const servers = new Map<string, string>();
    return section.providers.flatMap(({ name, ...own }, i): Problem[] => {
      const { model, baseUrlEnv, apiKeyEnv } = { ...section, ...own };
      const server = JSON.stringify([model, baseUrlEnv, apiKeyEnv]);
      const at = (key: string, message: string) => ({ path: [...path, 'providers', i, key], message });
      const problems = [
        ...(names.has(name) ? [at('name', `a second provider named ${name}`)] : []),
        ...(servers.has(server)
          ? [at('name', `the same server, key and model as ${servers.get(server)}: give it a baseUrlEnv of its own`)]
          : []),
      ];
      names.add(name);
      servers.set(server, name);
      return problems;
    });
  });
}

function curateProblems(recipe: Recipe): Problem[] {
  const { curate, collect, stages } = recipe;
  const problems: Problem[] = [];
  const isJudged = collect.stages.includes('judge') || Object.values(stages).some((stage) => 'judge' in stage);
  if (curate.keep && !isJudged) {
    problems.push({
      path: ['curate', 'keep'],
      message: 'the best are told by their scores, but judge is not in collect.stages',
    });
  }
  const known = stageNames(recipe);
  for (const name of typeof curate.maxSamples === 'object' ? Object.keys(curate.maxSamples) : []) {
    if (!known.includes(name)) {
      problems.push({ path: ['curate', 'maxSamples', name], message: unknownName('stage', name, known) });
    }
  }
  return problems;
}

function armProblems({ students, validate }: Recipe) {
  const learnt = students.flatMap(({ stages }) => stages);
  const names = new Set<string>();
  return validate.arms.flatMap((arm, i) => {
    const problems: Problem[] = [];
    const path = ['validate', 'arms', i];
    const name = typeof arm === 'string' ? arm : arm.name;
    if (names.has(name)) problems.push({ path, message: `a second arm named ${name}` });
    names.add(name);
    if (typeof arm === 'string') return problems;
    if (TAKEN_NAME.test(name)) {
      problems.push({ path: [...path, 'name'], message: `${name} already names texts of every run` });
    }
    for (const stage of arm.stages ?? []) {
      if (!learnt.includes(stage)) {
        problems.push({ path: [...path, 'stages'], message: `${stage} is no job of a student: it has no table` });
      }
    }
    return problems;
  });
}
