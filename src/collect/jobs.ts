/** What the teacher is asked in a run, stage by stage: each job is a request with its identity. Nothing here asks. */

import type { JudgeText } from '../corpus/judge-texts.ts';
import { contentHash } from '../foundation/hash.ts';
import { judgeStage } from '../stage/judge.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { GenreAudience, SourceDocument, Stage, StageName } from '../stage/stage.ts';
import type { TeacherRequest } from '../teacher/teacher.ts';

export interface Job {
  request: TeacherRequest;
  promptVersion: string;
}

/** What jobs are made of: the material of the run and the answers of the stages before. */
export interface JobSources {
  teacher: { name: string; temperature: number };
  documents: ReadonlyMap<string, SourceDocument>;
  pairs: ReadonlyMap<string, GenreAudience[]>;
  /** Teacher's reformulations by item `<docId>/<k>`. */
  texts: ReadonlyMap<string, { docId: string; text: string }>;
  judgeTexts: readonly JudgeText[];
}

/** A judge that is asked twice should answer twice the same. */
const JUDGE_TEMPERATURE = 0;

/** The jobs of a stage, lazily and in a fixed order: a large corpus never has all its prompts in memory. */
export function stageJobs(stage: StageName, sources: JobSources): Generator<Job> {
  return JOBS[stage](sources);
}

const JOBS: Record<StageName, (sources: JobSources) => Generator<Job>> = {
  *pairs({ teacher, documents }) {
    for (const document of documents.values()) {
      yield job(pairsStage, { document }, document.id, document.id, teacher);
    }
  },
  *reformulate({ teacher, documents, pairs }) {
    for (const [docId, ofDocument] of pairs) {
      const document = documents.get(docId)!;
      for (const [i, pair] of ofDocument.entries()) {
        yield job(reformulateStage, { document, pair }, docId, `${docId}/${i + 1}`, teacher);
      }
    }
  },
  *judge({ teacher, documents, texts, judgeTexts }) {
    const judge = { name: teacher.name, temperature: JUDGE_TEMPERATURE };
    for (const [item, { docId, text }] of texts) {
      yield job(judgeStage, { document: documents.get(docId)!, text }, docId, item, judge);
    }
    for (const { id, docId, text } of judgeTexts) {
      yield job(judgeStage, { document: documents.get(docId)!, text }, docId, id, judge);
    }
  },
};

function job<I>(stage: Stage<I, unknown>, input: I, docId: string, item: string, teacher: JobSources['teacher']): Job {
  const messages = stage.teacherPrompt(input);
  const params = { temperature: teacher.temperature, maxTokens: stage.maxTokens };
  const { name, promptVersion } = stage;
  const key = contentHash({ stage: name, promptVersion, model: teacher.name, params, messages });
  return { request: { key, stage: name, docId, item, messages, params }, promptVersion };
}
