/** Where a run stands, from its ledger and status file alone: works beside a live run. */

import type { RunFolder } from '../foundation/run-folder.ts';
import { runHolder } from '../pipeline/lock.ts';
import { type RunStatus, readStatus } from '../pipeline/status-file.ts';
import { type RoundsSummary, readSummary } from '../rounds/round-outcome.ts';
import { currentRatings } from '../store/current-ratings.ts';
import { indexLedger, type LedgerIndex, type Spend } from '../store/ledger-index.ts';
import type { SentLine } from '../store/ledger-lines.ts';
import { ledgerSegments } from '../store/ledger-read.ts';
import { count, duration, printable } from '../ui/format.ts';
import { textTable } from './text-table.ts';

export interface StatusReport {
  run: string;
  /** `lost`: the status file says running, but its process is gone. */
  state: RunStatus['state'] | 'lost' | 'not started';
  /** Process that holds the run. */
  pid: number | undefined;
  status: RunStatus | undefined;
  /** Of a run with several rounds: what those that are over came to. */
  rounds: RoundsSummary | undefined;
  spend: Spend[];
  failures: { stage: string; item: string; reason: string; final: boolean }[];
  /** In flight in a live run. */
  open: number;
  /** Jobs of the Batch API whose results are still to come; `id` is the provider's, absent where it was never seen. */
  batches: { stage: string; model: string; requests: number; plannedAt: string; id?: string }[];
  /** Requests that left and were never answered: possibly charged. */
  possiblyCharged: { stage: string; item: string; model: string; at: string }[];
  /** People's, by who rated whose texts. */
  ratings: { rater: string; stage: string; arm: string; rated: number; skipped: number }[];
  /** Incomplete last lines, after a kill. */
  tornLines: number;
}

/** Reads the state of a run. */
export async function runStatus(folder: RunFolder): Promise<StatusReport> {
  const status = readStatus(folder);
  const holder = runHolder(folder);
  const ledger = await indexLedger(folder.ledger);
  const open = [...ledger.open.values()];
  const newest = ledgerSegments(folder.ledger).at(-1);
  const unanswered = holder ? ledger.lost : [...ledger.lost, ...ledger.unanswered];
  return {
    run: folder.root,
    state: status === undefined ? 'not started' : status.state === 'running' && !holder ? 'lost' : status.state,
    pid: holder?.pid,
    status,
    rounds: readSummary(folder),
    spend: ledger.spend,
    failures: [...ledger.failures.values()].map(({ stage, item, reason, final }) => ({ stage, item, reason, final })),
    open: holder ? open.filter(({ batch }) => batch === undefined || !ledger.batches.has(batch)).length : 0,
    batches: openBatches(ledger),
    possiblyCharged: unanswered.map(({ stage, item, model, at }: SentLine) => ({ stage, item, model, at })),
    ratings: ratingCounts(ledger),
    // In the newest file of a live run, a line may just be on its way.
    tornLines: ledger.torn.filter(({ segment }) => !holder || segment !== newest).length,
  };
}

function ratingCounts({ ratings }: LedgerIndex): StatusReport['ratings'] {
  const counts = new Map<string, StatusReport['ratings'][number]>();
  for (const { rater, stage, arm, score } of [...currentRatings(ratings).values()].flatMap((by) => [...by.values()])) {
    const none = { rater, stage, arm, rated: 0, skipped: 0 };
    const found = counts.get(nameOf(none)) ?? none;
    counts.set(nameOf(none), found);
    if (score === null) found.skipped++;
    else found.rated++;
  }
  return [...counts.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

const nameOf = ({ rater, stage, arm }: StatusReport['ratings'][number]) => [rater, stage, arm].join('\u0000');

function openBatches({ batches, open }: LedgerIndex): StatusReport['batches'] {
  return [...batches.values()].map(({ model, keys, plannedAt, id }) => {
    const stage = keys.flatMap((key) => open.get(key)?.stage ?? [])[0] ?? 'unknown';
    return { stage, model, requests: keys.length, plannedAt, ...(id === undefined ? {} : { id }) };
  });
}

const STATE_WORDS: Record<StatusReport['state'], string> = {
  'not started': 'has not been started',
  running: 'is running',
  done: 'is done',
  failed: 'failed',
  interrupted: 'was interrupted',
  lost: 'was killed',
};

/** Items of a list that a person looks through; the rest is counted. */
const LISTED = 10;

/** The state as text. */
export function renderStatus(report: StatusReport): string {
  const { run, state, pid, status, rounds, spend, failures, open, batches, possiblyCharged, ratings, tornLines } =
    report;
  const head = `Run ${run} ${STATE_WORDS[state]}${pid === undefined ? '' : ` (process ${pid})`}`;
  const goesOn = ['failed', 'interrupted', 'lost'].includes(state) ? `Go on with: mga run ${run}` : undefined;
  const parts = [
    [head, roundLine(report), status?.message, goesOn].filter((line) => line !== undefined).join('\n'),
    status && renderCommands(status),
    rounds && `Rounds\n${rounds.sentences.map((sentence) => `  ${sentence}`).join('\n')}`,
    spend.length > 0 ? `Teacher\n${renderSpend(spend)}` : undefined,
    ratings.length > 0 ? `Ratings by people\n${renderRatings(ratings)}` : undefined,
    open > 0 ? `${open} requests in flight` : undefined,
    renderList(
      'Open batches',
      batches.map(
        ({ stage, model, requests, plannedAt, id }) =>
          `${stage}: ${count(requests)} requests to ${model} since ${plannedAt}, ${id ?? 'its id was never seen'}`,
      ),
    ),
    renderList(
      'Failed requests',
      failures.map(({ stage, item, reason }) => `${stage} ${item}: ${reason}`),
    ),
    renderList(
      'Sent but never answered, possibly charged',
      possiblyCharged.map(({ stage, item, model, at }) => `${stage} ${item} to ${model} at ${at}`),
    ),
    tornLines > 0 ? `${tornLines} torn last lines in the ledger (a kill during a write) are left out` : undefined,
  ];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}

/** Which round is at work, or was when the run stopped. */
function roundLine({ state, status, rounds }: StatusReport): string | undefined {
  const { round, count } = status?.round ?? {};
  if (round === undefined || state === 'done' || (rounds?.chosen ?? null) !== null) return undefined;
  return `Round ${round} of at most ${count}`;
}

function renderCommands(status: RunStatus): string {
  const rows = status.commands.map(({ command, state, detail, outcomes, seconds, bars }) => {
    const progress = state === 'running' ? bars.map((bar) => `${bar.label} ${bar.done}/${bar.total} ${bar.unit}`) : [];
    return [
      command,
      state,
      seconds === undefined ? '' : duration(seconds),
      [...outcomes, ...(state === 'running' || state === 'failed' ? [detail] : []), ...progress]
        .filter(Boolean)
        .join('; '),
    ];
  });
  const students = status.students.map(({ student, step, steps, loss, devLoss, tokensPerSecond, secondsLeft }) =>
    [
      steps === 0 ? student : `${student}: step ${step} of ${steps}`,
      loss === undefined ? '' : `loss ${loss.toFixed(3)}`,
      devLoss === undefined ? '' : `dev loss ${devLoss.toFixed(3)}`,
      step < steps ? `${count(Math.round(tokensPerSecond))} tokens/s, ${duration(secondsLeft)} left` : '',
    ]
      .filter(Boolean)
      .join(', '),
  );
  return [textTable(['command', 'state', 'time', ''], rows, [0, 1, 3]), ...students].join('\n');
}

function renderSpend(spend: readonly Spend[]): string {
  const rows = spend.map(({ stage, model, provider, responses, promptTokens, completionTokens, usd, unpriced }) => [
    stage,
    provider === undefined ? model : `${model} at ${provider}`,
    count(responses),
    count(promptTokens),
    count(completionTokens),
    unpriced === responses ? 'no price' : usd.toFixed(4),
  ]);
  return textTable(['stage', 'model', 'answers', 'prompt tokens', 'completion tokens', 'USD'], rows, [0, 1]);
}

function renderRatings(ratings: StatusReport['ratings']): string {
  const rows = ratings.map(({ rater, stage, arm, rated, skipped }) => [
    ...[printable(rater), stage, arm, count(rated), count(skipped)],
  ]);
  return textTable(['rater', 'stage', 'arm', 'rated', 'skipped'], rows, [0, 1, 2]);
}

function renderList(title: string, items: readonly string[]): string | undefined {
  if (items.length === 0) return undefined;
  const more = items.length > LISTED ? [`  and ${items.length - LISTED} more`] : [];
  return [`${title}: ${items.length}`, ...items.slice(0, LISTED).map((item) => `  ${item}`), ...more].join('\n');
}
