/** Samples side by side. The page's script unpacks and draws them, so that a thousand of them stay quick to filter. */

import { armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { quantity } from '../number-format.ts';
import type { ReportData } from '../run-data.ts';
import { packSamples } from '../sample-payload.ts';

const SCORES = ['5', '4', '3', '2', '1'] as const;

/** Filters, an empty list to be filled, and the packed samples. */
export function samplesSection(data: ReportData): Markup {
  if (data.samples.length === 0)
    return html`<section id="samples" aria-labelledby="samples-title"><h2 id="samples-title">Samples</h2><p>No samples: nothing has been generated for validation yet.</p></section>`;
  const { base64, shown } = packSamples(data);
  const stages = [...new Set(data.samples.map(({ stage }) => stage))];
  return html`<section id="samples" aria-labelledby="samples-title">
  <h2 id="samples-title">Samples</h2>
  <p class="soft">What each model made of the same input. ${shown < data.samples.length && `${quantity(shown)} of ${quantity(data.samples.length)} are in this file, evenly drawn.`}</p>
  <noscript><p class="panel">The samples are drawn by this page's own script, which your browser does not run. They are also in validation/generations.jsonl.</p></noscript>
  <form class="filters" id="filters" aria-label="Filter samples">
    ${stages.length > 1 && sampleFilter('stage', 'Stage', [['', 'any'], ...stages.map((stage) => [stage, stageLabel(stage)] as const)])}
    ${sampleFilter('arm', 'Model', [['', 'any'], ...data.arms.map((arm) => [arm, armLabel(arm)] as const)])}
    ${sampleFilter('score', 'Score', [['', 'any'], ...SCORES.map((score) => [score, score] as const), ['none', 'unscored']])}
    ${sampleFilter('usable', 'Usable', [
      ['', 'any'],
      ['yes', 'usable'],
      ['no', 'not usable'],
    ])}
    ${sampleFilter('document', 'Document', [['', 'any'], ...documentsOf(data)])}
    ${sampleFilter('compare', 'Mark differences to', [['', 'nothing'], ['source', 'source'], ...data.arms.map((arm) => [arm, armLabel(arm)] as const)])}
    <button type="reset">Reset</button>
  </form>
  <p class="count" id="sample-count" role="status" tabindex="-1"></p>
  <div id="sample-list"></div>
  <div class="pager" id="pager" hidden><button type="button" id="previous">Previous</button><span id="page-number" class="number small"></span><button type="button" id="next">Next</button></div>
  <script type="text/plain" id="sample-data">${base64}</script>
</section>`;
}

/** One choice among the filters of a list of samples. */
export function sampleFilter(
  name: string,
  label: string,
  options: readonly (readonly [value: string, text: string])[],
): Markup {
  return html`<label>${label}<select name="${name}">${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></label>`;
}

function documentsOf(data: ReportData): [string, string][] {
  const titles = new Map(data.sources.map(({ id, title }) => [id, title]));
  return [...new Set(data.samples.map(({ docId }) => docId))].map((id) => {
    const title = titles.get(id);
    return [id, title === undefined || title === id ? id : `${id}: ${title}`];
  });
}
