/** The command `collect`: asks the teacher everything the recipe needs and the ledger does not hold yet. */

import { InterruptedError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { collectedStages } from '../stage/recipe-stages.ts';
import { Ledger } from '../store/ledger.ts';
import { canarySentence } from './canaries.ts';
import { type CollectParts, CollectRun } from './collect-run.ts';
import { type Collected, CollectedReading, type Material, readMaterial } from './collected.ts';
import { stageJobs } from './jobs.ts';
import { CANARIES_CAUGHT, type JudgingReport, judgingReport, judgingSentences } from './judging-report.ts';

/**
 * Collects, stage by stage: pairs for every document of the splits (the teacher's row of the table needs validation documents
 * too), a reformulation a pair, a judgement a reformulation and a judge text. Resumes: what has a synced response is not asked
 * again; what failed for good is kept and counted; what failed in passing is asked again.
 *
 * @throws UserError for what the user can mend, InterruptedError when `context.signal` is aborted
 */
export async function collect(
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  parts: CollectParts = {},
): Promise<Collected> {
  return collectMaterial(await readMaterial(recipe, folder, context), recipe, folder, context, parts);
}

/** Collects for this material, which may be a part of the run's. */
export async function collectMaterial(
  material: Material,
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  parts: CollectParts = {},
): Promise<Collected> {
  const { emit } = context;
  const started = performance.now();
  const ledger = await Ledger.open(folder.ledger);
  const run = new CollectRun(recipe, folder, context, ledger, material, parts);
  const reading = new CollectedReading(material, ledger.index, folder.ledger);
  try {
    run.warn();
    for (const stage of collectedStages(recipe)) {
      await run.askStage(stage, () => stageJobs(stage, reading.sources));
      reading.readStage(stage);
      run.settleCounts(stage.name, reading.collected);
    }
    const collected = reading.finish();
    const judging = judgingReport(collected);
    run.judged(judging);
    run.finish('complete');
    const summary = [summarise(collected, recipe), ...judgingSentences(judging), ...ownSentences(collected)].join('; ');
    warnOfJudge(judging, context);
    if (run.begun) {
      emit({ type: 'command-end', command: 'collect', seconds: (performance.now() - started) / 1000, summary });
    } else emit({ type: 'command-skip', command: 'collect', reason: `nothing is missing: ${summary}` });
    return collected;
  } catch (error) {
    run.finish(error instanceof InterruptedError ? 'stopped' : 'failed');
    throw error;
  } finally {
    reading.close();
    await ledger.close();
  }
}

/** What was found out about the judges of own stages. */
function ownSentences({ judgedAnswers }: Collected): string[] {
  return [...judgedAnswers].flatMap(([stage, judged]) =>
    judgingSentences(judgingReport({ ...judged, canaries: [] })).map((sentence) => `${stage}: ${sentence}`),
  );
}

function warnOfJudge({ canaries }: JudgingReport, { emit }: RunContext): void {
  if (canaries === undefined || canaries.caught >= CANARIES_CAUGHT) return;
  const message = `The judge does not see planted faults: ${canarySentence(canaries)}. Its scores choose the training texts; take another model or prompt`;
  emit({ type: 'log', level: 'warn', message });
}

function summarise(collected: Collected, { teacher }: Recipe): string {
  const { pairs, texts, judgements, answers, judgedAnswers, failures, spend } = collected;
  const own = [...answers]
    .map(([stage, { size }]) => {
      const judged = judgedAnswers.get(stage);
      return `${size} answers of ${stage}${judged ? ` (${judged.judgements.size} judged)` : ''}, `;
    })
    .join('');
  const unparsed = failures.filter((failure) => failure.kind === 'unparsed').length;
  const usd = spend.reduce((sum, one) => sum + one.usd, 0);
  const unpriced = spend.reduce((sum, one) => sum + one.unpriced, 0);
  const cost = unpriced > 0 ? `${unpriced} answers without a known price` : `$${usd.toFixed(2)}`;
  return (
    `${own}${pairs.size} documents with pairs, ${texts.size} reformulations, ${judgements.size} judged texts; ` +
    `${failures.length - unparsed} failed, ${unparsed} unparsed; ` +
    (teacher.kind === 'recorded' ? 'from a recording' : cost)
  );
}
