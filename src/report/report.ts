/** Command `report`: a run folder's artifacts become one HTML file. */

import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { collectRun } from './collect/collect-run.ts';
import { reportPage } from './page.ts';

/**
 * Writes report.html of the run. Reads artifacts only, and whatever the run has not made yet is said in the page, so it
 * can be called at any time; it takes seconds and is written anew each time.
 *
 * @throws InterruptedError where `context.signal` is aborted before the page is written
 */
export async function writeReport(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<void> {
  const started = performance.now();
  context.emit({ type: 'command-start', command: 'report', detail: folder.report });
  const data = await collectRun(recipe, folder, context.signal);
  if (context.signal.aborted) throw new InterruptedError();
  writeFileAtomic(folder.report, reportPage(data));
  context.emit({
    type: 'command-end',
    command: 'report',
    seconds: (performance.now() - started) / 1000,
    summary: `${folder.report}: ${data.tables.length} tables, ${data.samples.length} samples`,
  });
}
