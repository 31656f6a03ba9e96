/** What a run has collected, parsed from the ledger: the way every later stage reads the teacher's answers. */

import { createHash, type Hash } from 'node:crypto';
import { readDocuments } from '../corpus/documents.ts';
import { type JudgeText, readJudgeTexts } from '../corpus/judge-texts.ts';
import { documentsSoFar } from '../corpus/round-documents.ts';
import { ensureSplits, type Splits } from '../corpus/splits.ts';
import { canonicalJson } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { type Judgement, judgeStage } from '../stage/judge.ts';
import { ownJudgeStage } from '../stage/own-judge.ts';
import { pairsStage } from '../stage/pairs.ts';
import { collectedStages } from '../stage/recipe-stages.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { AnyStage, GenreAudience, Parsed, SourceDocument, StageName } from '../stage/stage.ts';
import { ResponseReader } from '../store/ledger.ts';
import { indexLedger, type LedgerIndex, type Spend } from '../store/ledger-index.ts';
import type { RatingLine, ResponseLine } from '../store/ledger-lines.ts';
import { teacherName } from '../teacher/create-teacher.ts';
import type { CanaryKind } from './canaries.ts';
import type { Job } from './job.ts';
import { type JobSources, stageJobs } from './jobs.ts';
import { judgementOf } from './judgement-of.ts';
import { type Judges, judgesOf } from './judges.ts';

/** A teacher's reformulation. */
export interface CollectedText {
  docId: string;
  pair: GenreAudience;
  text: string;
  /** `length`: cut off at the token limit. */
  finishReason: string;
}

/** An answer to a stage of the recipe's own. */
export interface CollectedAnswer {
  /** What the stage's parser made of it. */
  value: unknown;
  /** The same as a student is to write it. */
  text: string;
  /** `length`: cut off at the token limit. */
  finishReason: string;
}

/** Judgements of a stage's answers by the recipe's own rubric, by document. */
export interface JudgedAnswers {
  judgements: Map<string, Judgement[]>;
  /** The second judge's; empty without one. */
  secondJudgements: Map<string, Judgement>;
}

/** An item without a usable answer. */
export interface CollectFailure {
  stage: StageName;
  docId: string;
  item: string;
  /** `failed`: no response came; `unparsed`: one came, paid and kept in the ledger, that does not fit the stage. */
  kind: 'failed' | 'unparsed';
  reason: string;
}

export interface Collected {
  /** Documents of the three splits by id, in corpus order. */
  documents: Map<string, SourceDocument>;
  splits: Splits;
  /** Name of the teacher that was asked. */
  teacher: string;
  pairs: Map<string, GenreAudience[]>;
  /** Reformulations by item `<docId>/<k>`. */
  texts: Map<string, CollectedText>;
  /** Judgements by the judged text's id: an item of `texts`, or the id of a judge text. */
  judgements: Map<string, Judgement[]>;
  /** The second judge's, by the same ids; empty without one. */
  secondJudgements: Map<string, Judgement>;
  /** How the judge scored texts with planted faults; null where it gave no score. */
  canaries: { kind: CanaryKind; score: number | null }[];
  /** Answers to the recipe's own stages, by stage and document. */
  answers: Map<StageName, Map<string, CollectedAnswer>>;
  /** By stage, of those with a rubric. */
  judgedAnswers: Map<StageName, JudgedAnswers>;
  judgeTexts: JudgeText[];
  /** What people said of outputs, in the order given. */
  ratings: readonly RatingLine[];
  failures: CollectFailure[];
  /** Jobs with neither response nor failure: collect has not finished. */
  missing: number;
  spend: Spend[];
  /** Hash of splits and answers, for the inputs of artifacts made from them. */
  answersHash: string;
}

/** Documents, splits and judge texts of a run; writes splits.json where the run has none yet. */
export interface Material extends JobSources {
  documents: Map<string, SourceDocument>;
  splits: Splits;
  judgeTexts: JudgeText[];
}

/** Sampling temperature that stands in the requests to a recording, which has no say in it. */
const RECORDED_TEMPERATURE = 0;

async function ownJudgesOf({ stages, judge, teacher }: Recipe): Promise<Map<StageName, Judges>> {
  const judges = new Map<StageName, Judges>();
  for (const [name, definition] of Object.entries(stages)) {
    const stage = ownJudgeStage(name, definition);
    if (stage) judges.set(name, await judgesOf(judge, teacher, stage));
  }
  return judges;
}

/** @param context told of a corpus that is being downloaded */
export async function readMaterial(
  recipe: Recipe,
  folder: RunFolder,
  context: Partial<RunContext> = {},
): Promise<Material> {
  const { teacher } = recipe;
  const corpus = await readDocuments(recipe.corpus, recipe.seed, context);
  const splits = soFar(ensureSplits(folder.splits, recipe, [...corpus.keys()]), recipe, folder);
  const used = new Set([...splits.train, ...splits.dev, ...splits.validation]);
  const documents = new Map([...corpus].filter(([id]) => used.has(id)));
  return {
    documents,
    splits,
    judgeTexts: recipe.collect.stages.includes('judge')
      ? await readJudgeTexts(recipe.collect.judgeTexts, documents)
      : [],
    teacher: {
      name: await teacherName(recipe),
      temperature: teacher.kind === 'openai' ? teacher.temperature : RECORDED_TEMPERATURE,
    },
    pairs: new Map(),
    texts: new Map(),
    answers: new Map(),
    judges: await judgesOf(recipe.judge, teacher),
    ownJudges: await ownJudgesOf(recipe),
    seed: recipe.seed,
  };
}

/** Of several rounds, only the documents of those so far are labeled and learned from. */
function soFar(splits: Splits, recipe: Recipe, folder: RunFolder): Splits {
  if (recipe.rounds.count === 1) return splits;
  const known = new Set(documentsSoFar(splits.train, recipe, folder));
  return { ...splits, train: splits.train.filter((id) => known.has(id)) };
}

/**
 * Everything collected for this recipe so far. Answers to other prompts, models or documents that the ledger may also hold are
 * not part of it.
 *
 * @throws UserError for unreadable corpus, splits or ledger
 */
export async function readCollected(recipe: Recipe, folder: RunFolder): Promise<Collected> {
  const material = await readMaterial(recipe, folder);
  const index = await indexLedger(folder.ledger);
  const reading = new CollectedReading(material, index, folder.ledger);
  try {
    for (const stage of collectedStages(recipe)) reading.readStage(stage);
    return reading.finish();
  } finally {
    reading.close();
  }
}

/** Reads stage after stage; each one's answers are the sources of the next one's jobs. */
export class CollectedReading {
  readonly sources: JobSources;
  readonly collected: Collected;
  readonly #index: LedgerIndex;
  readonly #reader: ResponseReader;
  readonly #hash: Hash;

  constructor(material: Material, index: LedgerIndex, ledgerFolder: string) {
    const { documents, splits, judgeTexts, teacher } = material;
    this.collected = {
      documents,
      splits,
      teacher: teacher.name,
      pairs: new Map(),
      texts: new Map(),
      judgements: new Map(),
      secondJudgements: new Map(),
      canaries: [],
      answers: new Map(),
      judgedAnswers: new Map(),
      judgeTexts,
      ratings: [],
      failures: [],
      missing: 0,
      spend: [],
      answersHash: '',
    };
    const { pairs, texts, answers } = this.collected;
    this.sources = { ...material, pairs, texts, answers };
    this.#index = index;
    this.#reader = new ResponseReader(ledgerFolder);
    this.#hash = createHash('sha256').update(canonicalJson(splits));
  }

  readStage(stage: AnyStage): void {
    const { failures } = this.collected;
    for (const job of stageJobs(stage, this.sources)) {
      const { key, docId, item } = job.request;
      const position = this.#index.responses.get(key);
      if (position !== undefined) {
        const line = this.#reader.read(position);
        // What only measures the judge makes no sample.
        if (!job.second && !job.canary) {
          this.#hash.update(`${key}${line.text}${line.digits ? JSON.stringify(line.digits) : ''}\n`);
        }
        const kept = this.#keep(stage, job, line);
        if (!kept.ok) failures.push({ stage: stage.name, docId, item, kind: 'unparsed', reason: kept.reason });
      } else {
        const failure = this.#index.failures.get(key);
        if (failure === undefined) this.collected.missing++;
        else failures.push({ stage: stage.name, docId, item, kind: 'failed', reason: failure.reason });
      }
    }
  }

  finish(): Collected {
    this.collected.spend = this.#index.spend;
    this.collected.ratings = this.#index.ratings;
    this.collected.answersHash = this.#hash.digest('hex');
    return this.collected;
  }

  close(): void {
    this.#reader.close();
  }

  #keep(stage: AnyStage, { request, second, canary }: Job, line: ResponseLine): Parsed<unknown> {
    const { docId, item } = request;
    const { name } = stage;
    const { pairs, texts, judgements, secondJudgements, canaries, answers, judgedAnswers } = this.collected;
    if (name === pairsStage.name) {
      const parsed = pairsStage.parse(line.text);
      if (parsed.ok) pairs.set(docId, parsed.value);
      return parsed;
    }
    if (name === reformulateStage.name) {
      const parsed = reformulateStage.parse(line.text);
      const pair = pairs.get(docId)![Number(item.slice(item.lastIndexOf('/') + 1)) - 1]!;
      if (parsed.ok) texts.set(item, { docId, pair, text: parsed.value, finishReason: line.finishReason });
      return parsed;
    }
    if (name === judgeStage.name) {
      const parsed = judgementOf(line);
      if (canary) canaries.push({ kind: canary, score: parsed.ok ? parsed.value.score : null });
      else if (parsed.ok && second) secondJudgements.set(item, parsed.value);
      else if (parsed.ok) judgements.set(item, [...(judgements.get(item) ?? []), parsed.value]);
      return parsed;
    }
    if (stage.judges !== undefined) {
      const parsed = judgementOf(line);
      const judged = judgedAnswers.get(stage.judges) ?? { judgements: new Map(), secondJudgements: new Map() };
      judgedAnswers.set(stage.judges, judged);
      if (parsed.ok && second) judged.secondJudgements.set(item, parsed.value);
      else if (parsed.ok) judged.judgements.set(item, [...(judged.judgements.get(item) ?? []), parsed.value]);
      return parsed;
    }
    const parsed = stage.parse(line.text);
    const ofStage = answers.get(name) ?? new Map<string, CollectedAnswer>();
    answers.set(name, ofStage);
    if (parsed.ok) {
      const { finishReason } = line;
      ofStage.set(docId, { value: parsed.value, text: stage.completion(parsed.value), finishReason });
    }
    return parsed;
  }
}
