/** What the teacher is asked in a run, stage by stage: each job is a request with its identity. Nothing here asks. */

import type { JudgeText } from '../corpus/judge-texts.ts';
import { contentHash } from '../foundation/hash.ts';
import { judgeStage } from '../stage/judge.ts';
import type { AnyStage, GenreAudience, SourceDocument, StageInput, StageName, StageUnit } from '../stage/stage.ts';
import { canariesOf } from './canaries.ts';
import type { Job } from './job.ts';
import { judgeJobs } from './judge-jobs.ts';
import type { Judges } from './judges.ts';

/** What jobs are made of: the material of the run and the answers of the stages before. */
export interface JobSources {
  teacher: { name: string; temperature: number };
  judges: Judges;
  /** Of the recipe: what canaries are drawn by. */
  seed: number;
  documents: ReadonlyMap<string, SourceDocument>;
  pairs: ReadonlyMap<string, GenreAudience[]>;
  /** Teacher's reformulations by item `<docId>/<k>`. */
  texts: ReadonlyMap<string, { docId: string; text: string }>;
  judgeTexts: readonly JudgeText[];
  /** Answers to the recipe's own stages, by stage and document. */
  answers: ReadonlyMap<StageName, ReadonlyMap<string, { text: string }>>;
  /** Of own stages with a rubric, by stage. */
  ownJudges: ReadonlyMap<StageName, Judges>;
}

/** The jobs of a stage, lazily and in a fixed order: a large corpus never has all its prompts in memory. */
export function* stageJobs(stage: AnyStage, sources: JobSources): Generator<Job> {
  if (stage.name === judgeStage.name) return yield* ofJudges(sources);
  if (stage.judges !== undefined) return yield* ofOwnJudges(stage.judges, sources);
  const { name, promptVersion, responseSchema: schema } = stage;
  const { name: model, temperature } = sources.teacher;
  const params = { temperature: stage.temperature ?? temperature, maxTokens: stage.maxTokens };
  for (const { item, input } of UNITS[stage.unit](sources)) {
    const messages = stage.teacherPrompt(input);
    const key = contentHash({ stage: name, promptVersion, model, params, messages });
    const request = { key, stage: name, docId: input.document.id, item, messages, params };
    yield { request: schema === undefined ? request : { ...request, schema }, promptVersion };
  }
}

function ofJudges({ documents, texts, judgeTexts, judges, seed }: JobSources): Generator<Job> {
  const items = function* () {
    for (const [item, { docId, text }] of texts) yield { item, document: documents.get(docId)!, text };
    for (const { id, docId, text } of judgeTexts) yield { item: id, document: documents.get(docId)!, text };
  };
  return judgeJobs(items, canariesOf(texts.values(), documents, judges.canaries, seed), judges);
}

/** Without canaries: what counts as spoilt is for the rubric to say. */
function ofOwnJudges(judged: StageName, { documents, answers, ownJudges }: JobSources): Generator<Job> {
  const items = function* () {
    for (const [docId, { text }] of answers.get(judged) ?? []) {
      yield { item: docId, document: documents.get(docId)!, text };
    }
  };
  return judgeJobs(items, [], ownJudges.get(judged)!);
}

interface Unit {
  item: string;
  input: StageInput;
}

/** Stands where a unit has no pair or no text; stages of that unit do not look at it. */
const NOTHING = { pair: { genre: '', audience: '' }, text: '' };

const UNITS: Record<StageUnit, (sources: JobSources) => Generator<Unit>> = {
  *document({ documents }) {
    for (const document of documents.values()) yield { item: document.id, input: { ...NOTHING, document } };
  },
  *pair({ documents, pairs }) {
    for (const [docId, ofDocument] of pairs) {
      const document = documents.get(docId)!;
      for (const [i, pair] of ofDocument.entries()) {
        yield { item: `${docId}/${i + 1}`, input: { ...NOTHING, document, pair } };
      }
    }
  },
  *text({ documents, texts, judgeTexts }) {
    const unit = (item: string, docId: string, text: string): Unit => ({
      item,
      input: { ...NOTHING, document: documents.get(docId)!, text },
    });
    for (const [item, { docId, text }] of texts) yield unit(item, docId, text);
    for (const { id, docId, text } of judgeTexts) yield unit(id, docId, text);
  },
};
