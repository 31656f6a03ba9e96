/** The plan as text. */

import type { BreakEven } from '../../price/break-even.ts';
import type { Figure } from '../../price/price-estimate.ts';
import type { PricePlan, StagePlan } from '../../price/price-plan.ts';
import { BATCH_WINDOW_HOURS } from '../../teacher/teacher.ts';
import { count, duration, printable, rate } from '../../ui/format.ts';
import type { RunPlan } from '../run-plan.ts';
import { textTable } from '../text-table.ts';
import type { StudentPlan } from './student-plans.ts';

/** Everything a person wants to know before the run. @param whole prompts are shown in full */
export function renderPlan(plan: RunPlan, { whole = false } = {}): string {
  const { train, dev, validation } = plan.documents;
  return `${[
    `Run ${plan.run}: ${train} documents to train on, ${dev} for dev loss, ${validation} for validation`,
    ...renderRounds(plan),
    [`Teacher ${plan.teacher}`, renderStages(plan.stages), ...priceSentences(plan)].join('\n'),
    renderStudents(plan),
    renderBreakEven(plan),
    renderArtifacts(plan),
    ...renderPreviews(plan, whole),
  ]
    .filter((part) => part !== undefined)
    .join('\n\n')}\n`;
}

function renderRounds({ rounds: plan, students }: RunPlan): string[] {
  if (plan === undefined) return [];
  const rows = plan.rounds.map(({ round, documents, requests }) => [String(round), count(documents), count(requests)]);
  const table = textTable(['round', 'new documents', 'requests, about'], rows, []);
  const grown = `The corpus holds ${count(plan.held ?? 0)} documents to train on, and the rounds ask for more: all figures are for a corpus of enough documents like these`;
  const seconds = students.reduce((sum, one) => sum + (one.trainedSeconds ?? one.seconds ?? Number.NaN), 0);
  const together = `; of all ${plan.rounds.length} together it takes at most ${duration(plan.rounds.length * seconds)}`;
  const trained = `Students are trained anew in each round; what stands below of their training is of the last one${Number.isNaN(seconds) ? '' : together}`;
  return [['Rounds, at most', table, trained, ...(plan.held === null ? [] : [grown])].join('\n')];
}

function renderStages(stages: readonly StagePlan[]): string {
  const rows = stages.map((row) => [
    row.stage,
    `${row.estimated ? 'about ' : ''}${count(row.total)}`,
    count(row.answered),
    count(row.failed),
    count(row.toAsk),
    count(row.promptTokens),
    count(row.completionTokens),
    row.usd === null ? 'no price' : dollars(row.usd),
    row.estimate?.usd ? dollars(row.estimate.usd.value) : '',
    row.model,
  ]);
  const tokens = ['prompt tokens', 'answer tokens, at most'];
  const header = ['stage', 'requests', 'answered', 'failed', 'to ask', ...tokens, '$ at most', '$ about', 'asked'];
  return textTable(header, rows, [0, header.length - 1]);
}

function priceSentences(plan: RunPlan): string[] {
  const { price, budget, concurrency } = plan;
  const { estimate, spent, usd } = price;
  const bound = usd === null ? undefined : `at most about $${dollars(usd)}`;
  const sentences = [spent > 0 ? `Spent so far: $${dollars(spent)}` : undefined];
  if (usd === null)
    sentences.push('Price: unknown; give price.inputPerMillion and price.outputPerMillion of every model');
  else if (usd === 0) sentences.push('Price: nothing');
  else if (!estimate?.usd) {
    sentences.push(
      `Price: ${bound}, if every answer is as long as allowed; --probe 5 asks five documents and tells more`,
    );
  } else sentences.push(estimateSentence(estimate, estimate.usd, bound!));
  if (estimate?.seconds && estimate.seconds.value >= 1) {
    const within = between(estimate.seconds, duration);
    sentences.push(
      `Time to ask: about ${duration(estimate.seconds.value)}${within} with ${concurrency} requests in flight, where the server takes as many`,
    );
  }
  sentences.push(batchSentence(plan));
  const most = estimate?.usd?.high ?? usd;
  if (budget !== null && most !== null && spent + most > budget) {
    sentences.push(`budget.usd is $${dollars(budget)}: the run may stop before its end`);
  }
  return sentences.filter((sentence) => sentence !== undefined);
}

/** The stages of a round wait for one another; what is asked between rounds is not counted. */
function batchSentence({ stages, rounds }: RunPlan): string | undefined {
  const waiting = stages.filter(({ byBatch, toAsk, stage }) => byBatch && toAsk > 0 && !stage.includes(':'));
  if (waiting.length === 0) return undefined;
  const times = rounds?.rounds.length ?? 1;
  const total = times * waiting.length;
  const each = times > 1 ? `${waiting.length} in each of ${times} rounds` : `${waiting.length} in all`;
  const order = total > 1 ? ` (stages one after another, ${each})` : '';
  return `Time to ask by batch: at most ${duration(total * BATCH_WINDOW_HOURS * 3600)}, ${BATCH_WINDOW_HOURS} h a stage${order}`;
}

function estimateSentence(
  { documents, without }: NonNullable<PricePlan['estimate']>,
  usd: Figure,
  bound: string,
): string {
  const from = `from the answers to ${documents} ${documents === 1 ? 'document, which tells no spread' : 'documents'}`;
  const rest = without.length > 0 ? `; at most where nothing was answered yet: ${without.join(', ')}` : '';
  const within = between(usd, (value) => `$${dollars(value)}`);
  return `Price of what is to come: about $${dollars(usd.value)}${within}, ${from}${rest}; ${bound}`;
}

/** Cents where there are dollars, tenths of a cent where there are none. */
function dollars(value: number): string {
  return value.toFixed(value === 0 || value >= 1 ? 2 : 3);
}

/** The 95% interval, where there is one that is wider than nothing. */
function between({ low, high }: Figure, show: (value: number) => string): string {
  return low === null || high === null || low === high ? '' : ` (95%: ${show(low)} to ${show(high)})`;
}

function renderStudents({ students }: RunPlan): string {
  return ['Students', ...students.flatMap(studentLines)].join('\n');
}

function studentLines(student: StudentPlan): string[] {
  const { name, stages, model, epochs, trainedSeconds, unknown, size, standIn, bySizes, memory } = student;
  const head = `  ${name}: ${stages.join(', ')} into ${model}, epochs: ${epochs}`;
  if (trainedSeconds !== undefined) return [head, `    trained, in ${duration(trainedSeconds)}`];
  if (size === undefined || memory === undefined) return [head, `    ${unknown}`];
  const about = standIn ? 'about ' : '';
  const from = standIn ? ' (before curate: none dropped, answers of the usual length)' : '';
  const counts = `${about}${count(size.samples)} samples, ${about}${count(size.steps)} steps${from}`;
  if (!memory.fits) return [head, `    ${counts}`, `    does not fit: ${memory.message}`, `    ${memory.hint}`];
  const sizes = bySizes
    ? ['    its weights are not here: memory and time go by its sizes, tokens by 4 characters each']
    : [];
  return [head, `    ${counts}; ${memory.description}`, ...sizes, `    ${trainingTime(student)}`];
}

function trainingTime({ seconds, tokensPerSecond, speedFrom }: StudentPlan): string {
  if (seconds === undefined) return 'time: not known; --measure makes two steps, and train tells it after its first';
  return `time: about ${duration(seconds)} at ${rate(tokensPerSecond!, 'tokens')} (${speedFrom})`;
}

function renderBreakEven({ breakEven }: RunPlan): string | undefined {
  const { teacher, student, once, cheaperAfter, machineUsdPerHour } = breakEven;
  if (teacher === null) return undefined;
  if (teacher.usd.value === 0) return 'The teacher costs nothing: no number of documents makes the students cheaper';
  const bound = teacher.atMost ? 'at most about ' : 'about ';
  const lines = [
    `  by the teacher: ${bound}$${dollars(teacher.usd.value)}${between(teacher.usd, (value) => `$${dollars(value)}`)}`,
    `  by the students: ${student === null ? 'not measured; validate does' : studentCost(student)}`,
    `  before the first: labels $${once.labelsUsd === null ? '?' : dollars(once.labelsUsd)}, training ${trainingCost(once)}`,
  ];
  const machine = machineUsdPerHour === null ? ', if this machine costs nothing (plan.machineUsdPerHour)' : '';
  if (cheaperAfter === 'never') lines.push('  the students are never cheaper');
  else if (cheaperAfter !== null)
    lines.push(`  the students are cheaper after ${count(cheaperAfter)} documents${machine}`);
  return ['A million documents', ...lines].join('\n');
}

function studentCost({ arm, seconds, usd }: NonNullable<BreakEven['student']>): string {
  const price = usd === null ? '' : `, $${dollars(usd)}`;
  return `about ${count(Math.round(seconds / 3600))} hours of this machine${price} (${arm}, as validate measured it)`;
}

function trainingCost({ trainingSeconds, trainingUsd }: BreakEven['once']): string {
  if (trainingSeconds === null) return 'not known';
  return `${duration(trainingSeconds)}${trainingUsd === null ? '' : `, $${dollars(trainingUsd)}`}`;
}

function renderArtifacts({ artifacts }: RunPlan): string {
  if (artifacts.length === 0) return 'No artifacts yet';
  const lines = artifacts.map(({ folder, kind, createdAt }) => `  ${folder} (${kind}, ${createdAt})`);
  return `Complete, and skipped unless their inputs changed\n${lines.join('\n')}`;
}

/** Characters shown of each end of a message: documents stand first, instructions last. */
const SHOWN_ENDS = 240;

function renderPreviews({ previews }: RunPlan, whole: boolean): string[] {
  return previews.map(({ stage, model, item, messages, standIn }) => {
    const title = `Prompt of ${stage} for ${item} to ${model}${standIn ? ', with stand-ins for answers to come' : ''}`;
    const texts = messages.map(({ role, content }) => `${role}: ${whole ? content : shortened(content)}`);
    const lines = printable(texts.join('\n')).split('\n');
    return `${title}\n${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}`;
  });
}

function shortened(text: string): string {
  const left = text.length - 2 * SHOWN_ENDS;
  if (left <= 0) return text;
  return `${text.slice(0, SHOWN_ENDS)}\n[... ${count(left)} characters ...]\n${text.slice(-SHOWN_ENDS)}`;
}
