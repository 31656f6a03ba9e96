/** What a run asks, grouped by stage and by who is asked: how much is answered, how much is still to be asked, how large it is. */

import type { CollectedReading, Material } from '../collect/collected.ts';
import type { Job } from '../collect/job.ts';
import { stageJobs } from '../collect/jobs.ts';
import type { LlmJudge } from '../collect/judges.ts';
import { documentOf } from '../corpus/chunks.ts';
import type { Recipe } from '../recipe/schema.ts';
import { judgeStage } from '../stage/judge.ts';
import { PAIRS_PER_DOCUMENT } from '../stage/pairs.ts';
import type { AnyStage, ChatMessage, StageInput, StageName } from '../stage/stage.ts';
import { TYPICAL_PAIR } from '../stage/stand-in.ts';
import { ResponseReader } from '../store/ledger.ts';
import type { LedgerIndex } from '../store/ledger-index.ts';

/** What the answers of one whole document come to. */
export interface DocumentAnswers {
  requests: number;
  /** Characters of its prompts, with stand-ins for what earlier stages write: known of documents never asked, too. */
  weight: number;
  promptTokens: number;
  cachedPromptTokens: number;
  completionTokens: number;
  /** Answers that did not come from a batch, and their time. */
  direct: number;
  latencyMs: number;
}

/** Requests that are to come, and the documents they are about. */
export interface Ahead {
  requests: number;
  weight: number;
  documents: number;
}

export interface Preview {
  item: string;
  messages: ChatMessage[];
  /** Dots stand for what an earlier stage has yet to write. */
  standIn: boolean;
}

/** Requests of one stage to one of those who are asked. */
export interface RequestGroup {
  stage: StageName;
  model: string;
  settings: Recipe['teacher'];
  maxTokens: number;
  total: number;
  /** The total depends on answers that are still to come. */
  estimated: boolean;
  answered: number;
  /** Given up for good, and not asked again. */
  failed: number;
  ahead: Ahead;
  /** Characters of the prompts ahead. */
  characters: number;
  /** Requests of a document once everything before is answered, and the mean weight of one. */
  perDocument: number;
  typicalWeight: number;
  answers: DocumentAnswers[];
  previews: Preview[];
}

/** Who is asked in a stage. */
interface Asked {
  model: string;
  settings: Recipe['teacher'];
  /** Absent: the labeler. */
  judge?: LlmJudge;
  stage: Pick<AnyStage, 'maxTokens' | 'teacherPrompt'>;
  perDocument: number;
  /** Requests about texts that no stage writes. */
  others: number;
}

export interface GroupParts {
  material: Material;
  labeler: Recipe['teacher'];
  /** Has read the stages before. */
  reading: CollectedReading;
  index: LedgerIndex;
  /** Folder of the ledger. */
  ledger: string;
  /** First requests to keep of each group. */
  previews: number;
  /** Answers of earlier stages are to come, so that some requests are not known yet. */
  estimated: boolean;
}

/** The groups of a stage, in the order in which they are asked. */
export function requestGroups(stage: AnyStage, parts: GroupParts): RequestGroup[] {
  const reader = new ResponseReader(parts.ledger);
  try {
    return askedIn(stage, parts).map((asked) => groupOf(stage, asked, parts, reader));
  } finally {
    reader.close();
  }
}

function askedIn(stage: AnyStage, { material, labeler }: GroupParts): Asked[] {
  const { judges, ownJudges, judgeTexts, teacher } = material;
  const own = stage.judges === undefined ? undefined : ownJudges.get(stage.judges);
  if (stage.name !== judgeStage.name && own === undefined) {
    const perDocument = stage.unit === 'document' ? 1 : PAIRS_PER_DOCUMENT;
    const others = stage.unit === 'text' ? judgeTexts.length : 0;
    return [{ model: teacher.name, settings: labeler, stage, perDocument, others }];
  }
  // Stages of one's own have one answer a document, and no canaries.
  const texts = own ? { perDocument: 1, others: 0 } : { perDocument: PAIRS_PER_DOCUMENT, others: judgeTexts.length };
  const ofJudge = (judge: LlmJudge, canaries: number): Asked => ({
    model: judge.name,
    settings: judge.settings,
    judge,
    stage: judge.stage as Asked['stage'],
    perDocument: texts.perDocument * judge.repeats,
    others: texts.others * judge.repeats + canaries,
  });
  const { first, second, canaries } = own ? { ...own, canaries: 0 } : judges;
  return [ofJudge(first, canaries), ...(second ? [ofJudge(second, 0)] : [])];
}

function groupOf(stage: AnyStage, asked: Asked, parts: GroupParts, reader: ResponseReader): RequestGroup {
  const { material, reading, index, estimated } = parts;
  const weights = new Map<string, number>();
  for (const [id, document] of material.documents) {
    const input: StageInput = { document, text: document.text, pair: TYPICAL_PAIR };
    weights.set(id, promptLength(asked.stage.teacherPrompt(input)));
  }
  const typicalWeight = [...weights.values()].reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.size);
  const answers = new Map<string, DocumentAnswers>();
  const waiting = new Set<string>();
  const previews: Preview[] = [];
  let [known, answered, failed, characters, weight] = [0, 0, 0, 0, 0];
  for (const { request } of jobsOf(stage, asked, reading)) {
    known++;
    if (previews.length < parts.previews) {
      previews.push({ item: request.item, messages: request.messages, standIn: false });
    }
    const position = index.responses.get(request.key);
    if (position !== undefined) {
      answered++;
      addAnswer(answers, documentOf(request.docId), weights.get(request.docId)!, reader.read(position));
    } else if (index.failures.get(request.key)?.final) failed++;
    else {
      characters += promptLength(request.messages);
      weight += weights.get(request.docId)!;
      waiting.add(documentOf(request.docId));
    }
  }
  const expected = asked.perDocument * material.documents.size + asked.others;
  const total = estimated ? Math.max(known, expected) : known;
  const unknown = total - known;
  const wholes = new Set([...material.documents.keys()].map(documentOf)).size;
  const documents = unknown > 0 ? Math.max(waiting.size, wholes - answers.size, 1) : waiting.size;
  if (previews.length === 0 && parts.previews > 0) previews.push(...standIns(stage, asked, parts));
  return {
    stage: stage.name,
    model: asked.model,
    settings: asked.settings,
    maxTokens: asked.stage.maxTokens,
    total,
    estimated,
    answered,
    failed,
    ahead: { requests: total - answered - failed, weight: weight + unknown * typicalWeight, documents },
    characters: characters + unknown * typicalWeight,
    perDocument: asked.perDocument,
    typicalWeight,
    answers: [...answers.values()],
    previews,
  };
}

function* jobsOf(stage: AnyStage, { judge }: Asked, { sources }: CollectedReading): Generator<Job> {
  for (const job of stageJobs(stage, sources)) if (job.judge === judge) yield job;
}

function addAnswer(
  answers: Map<string, DocumentAnswers>,
  docId: string,
  weight: number,
  { usage, latencyMs, batch }: ReturnType<ResponseReader['read']>,
): void {
  const nothing = { requests: 0, weight: 0, promptTokens: 0, cachedPromptTokens: 0, completionTokens: 0 };
  const sum = answers.get(docId) ?? { ...nothing, direct: 0, latencyMs: 0 };
  answers.set(docId, sum);
  sum.requests++;
  sum.weight += weight;
  sum.promptTokens += usage.promptTokens;
  sum.cachedPromptTokens += usage.cachedPromptTokens ?? 0;
  sum.completionTokens += usage.completionTokens;
  if (batch !== undefined) return;
  sum.direct++;
  sum.latencyMs += latencyMs;
}

/** Requests as they will look, where what they are about is not written yet. */
function standIns({ judges: writer = 'reformulate' }: AnyStage, { stage }: Asked, parts: GroupParts): Preview[] {
  const { material, previews } = parts;
  return [...material.documents.values()].slice(0, previews).map((document) => {
    const pair = { genre: '(a genre that `pairs` proposes)', audience: '(an audience that `pairs` proposes)' };
    const messages = stage.teacherPrompt({ document, pair, text: `(a text that \`${writer}\` writes)` });
    return { item: document.id, messages, standIn: true };
  });
}

function promptLength(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + content.length, 0);
}
