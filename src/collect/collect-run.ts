/** The running `collect` command: asks stage by stage, counts, tells of progress, keeps the status file. */

import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { AnyStage, StageName } from '../stage/stage.ts';
import type { Ledger } from '../store/ledger.ts';
import type { ResponseLine } from '../store/ledger-lines.ts';
import type { Teacher } from '../teacher/teacher.ts';
import type { AskerParts } from './ask-lines.ts';
import type { Collected, Material } from './collected.ts';
import type { Job } from './job.ts';
import { askJobs } from './job-askers.ts';
import type { JudgingReport } from './judging-report.ts';
import { Provider } from './provider.ts';
import { requirePrices } from './require-prices.ts';
import { type CollectStatus, type StageCounts, statusFile } from './status-file.ts';

/** What tests put in place of the real world, and what the caller wants done on the way. */
export interface CollectParts {
  /** Called once before the first request that costs money; what it throws ends the command. */
  beforePaying?: (material: Material) => Promise<void>;
  teacher?: Teacher;
  wait?: AskerParts['wait'];
  now?: () => Date;
}

export class CollectRun {
  /** Whether anything had to be asked. */
  begun = false;
  readonly #recipe: Recipe;
  readonly #context: RunContext;
  readonly #ledger: Ledger;
  readonly #parts: CollectParts;
  readonly #file: ReturnType<typeof statusFile>;
  readonly #stages: Record<StageName, StageCounts> = {};
  readonly #material: Material;
  readonly #providers: Map<Recipe['teacher'], readonly Provider[]>;
  #judging: JudgingReport | undefined;
  #state: CollectStatus['state'] = 'running';

  constructor(
    recipe: Recipe,
    folder: RunFolder,
    context: RunContext,
    ledger: Ledger,
    material: Material,
    parts: CollectParts,
  ) {
    this.#material = material;
    this.#recipe = recipe;
    this.#context = context;
    this.#ledger = ledger;
    this.#parts = parts;
    this.#providers = soleProvider(parts.teacher, recipe.teacher, recipe);
    this.#file = statusFile(folder.status);
  }

  /** Tells what earlier processes left behind: torn lines and requests whose answers were never seen. */
  warn(): void {
    const { torn, unanswered: open, lost } = this.#ledger.index;
    const warning = (message: string) => this.#context.emit({ type: 'log', level: 'warn', message });
    for (const { segment, line, bytes } of torn) {
      warning(
        `The ledger's ${segment} ends in a line cut off by a stop (line ${line}, ${bytes} bytes): it is not used`,
      );
    }
    const unanswered = open.length + lost.length;
    if (unanswered > 0 && isPaid(this.#recipe)) {
      warning(
        `${unanswered} requests of earlier runs left without an answer being kept: possibly charged (see status.json)`,
      );
    }
  }

  /** Asks what the stage is missing. */
  async askStage(stage: AnyStage, jobs: () => Iterable<Job>): Promise<void> {
    const { index } = this.#ledger;
    const counts: StageCounts = { total: 0, answered: 0, failed: 0, unparsed: 0 };
    this.#stages[stage.name] = counts;
    for (const { request } of jobs()) {
      counts.total++;
      if (index.responses.has(request.key)) counts.answered++;
      else if (index.failures.get(request.key)?.final) counts.failed++;
    }
    if (counts.answered + counts.failed < counts.total) {
      await this.#begin();
      this.#progress(stage.name, counts);
      await askJobs(jobs, {
        recipe: this.#recipe,
        providers: this.#providers,
        ledger: this.#ledger,
        signal: this.#context.signal,
        wait: this.#parts.wait ?? wait,
        now: this.#parts.now ?? (() => new Date()),
        onResponse: (job, line) => {
          counts.answered++;
          if (!this.#tell(stage, job, line)) counts.unparsed++;
          this.#progress(stage.name, counts);
        },
        onFailure: () => {
          counts.failed++;
          this.#progress(stage.name, counts);
        },
        warn: (message) => this.#context.emit({ type: 'log', level: 'warn', message }),
      });
    }
    if (counts.total > 0 && counts.answered === 0) throw allFailed(stage.name, counts, [...index.failures.values()]);
  }

  /** Equal requests are asked once, and unparsed answers of earlier runs count too: the final figures come from reading. */
  settleCounts(stage: StageName, { failures }: Collected): void {
    const counts = this.#stages[stage]!;
    const of = (kind: 'failed' | 'unparsed') =>
      failures.filter((failure) => failure.stage === stage && failure.kind === kind).length;
    counts.unparsed = of('unparsed');
    counts.failed = of('failed');
    counts.answered = counts.total - counts.failed;
  }

  finish(state: CollectStatus['state']): void {
    this.#state = state;
    this.#writeStatus(true);
  }

  /** What collect found out about the judge, for the status file. */
  judged(report: JudgingReport): void {
    this.#judging = report;
  }

  async #begin(): Promise<void> {
    if (this.begun) return;
    requirePrices(this.#recipe);
    if (isPaid(this.#recipe)) await this.#parts.beforePaying?.(this.#material);
    this.begun = true;
    const { teacher, judge } = this.#recipe;
    const { name } = this.#material.teacher;
    const asked = teacher.kind === 'recorded' ? `${name}: a recording, nothing is asked or paid` : `asking ${name}`;
    const judging = judge.teacher?.kind === 'openai' ? `; ${judge.teacher.model} judges` : '';
    this.#context.emit({ type: 'command-start', command: 'collect', detail: `${asked}${judging}` });
  }

  #progress(stage: StageName, { total, answered, failed }: StageCounts): void {
    const done = answered + failed;
    this.#context.emit({ type: 'command-progress', command: 'collect', label: stage, done, total, unit: 'answers' });
    this.#writeStatus();
  }

  /** Shows the answer; tells whether it fits the stage. */
  #tell(stage: AnyStage, { request }: Job, line: ResponseLine): boolean {
    const parsed = stage.parse(line.text);
    if (!parsed.ok) return false;
    const sample = { type: 'sample-made', stage: stage.name, source: line.model, docId: request.docId } as const;
    this.#context.emit({ ...sample, ...stage.show(parsed.value) });
    return true;
  }

  #writeStatus(force = false): void {
    const { spend, unanswered: open, lost } = this.#ledger.index;
    // While running, open requests are simply in flight; a recording charges nothing.
    const left = this.#state === 'running' ? lost : [...lost, ...open];
    const unanswered = isPaid(this.#recipe) ? left : [];
    this.#file.write(
      {
        state: this.#state,
        pid: process.pid,
        updatedAt: new Date().toISOString(),
        teacher: this.#material.teacher.name,
        stages: this.#stages,
        spend,
        usd: spend.reduce((sum, one) => sum + one.usd, 0),
        possiblyCharged: unanswered.map(({ stage, item, model, at }) => ({ stage, item, model, at })),
        ...(this.#judging ? { judging: this.#judging } : {}),
      },
      force,
    );
  }
}

/** A teacher that was made already, as the only server of its section; empty without one. */
export function soleProvider(
  teacher: Teacher | undefined,
  settings: Recipe['teacher'],
  { collect }: Recipe,
): Map<Recipe['teacher'], readonly Provider[]> {
  if (teacher === undefined) return new Map();
  return new Map([[settings, [new Provider({ teacher, settings, concurrency: collect.concurrency })]]]);
}

/** Whether anyone is asked who takes money. */
function isPaid({ teacher, judge }: Recipe): boolean {
  return [teacher, judge.teacher, judge.second].some((one) => one?.kind === 'openai');
}

/** Nothing but failures is no success. */
function allFailed(
  stage: StageName,
  { total }: StageCounts,
  failures: { stage: StageName; reason: string }[],
): UserError {
  const reason = failures.filter((failure) => failure.stage === stage).at(-1)?.reason ?? 'unknown';
  return new UserError(
    `Cannot collect ${stage}: all ${total} requests failed, the last one with: ${reason}`,
    'Check teacher and corpus in the recipe',
  );
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}
