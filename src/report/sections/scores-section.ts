/** Score histograms, an arm each, on one scale. */

import { armLabel, stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { scoreFigure } from '../plots.ts';
import type { ReportData } from '../run-data.ts';

/** The histograms by stage, or a sentence where nothing is scored. */
export function scoresSection(data: ReportData): Markup {
  const stages = [...new Set(data.histograms.map(({ stage }) => stage))];
  return html`<section id="scores" aria-labelledby="scores-title">
  <h2 id="scores-title">Scores</h2>
  <p class="soft">Share of outputs at each score, 1 to 5; scores of 3 and above are drawn in full colour.</p>
  ${stages.length === 0 && html`<p>No scores yet.</p>`}
  ${stages.map(
    (stage) =>
      html`<h3>${stageLabel(stage)}</h3><div class="grid four">${data.histograms
        .filter((histogram) => histogram.stage === stage)
        .map(
          (histogram) =>
            html`<figure class="panel"><b class="small">${armLabel(histogram.arm)}</b>${scoreFigure(histogram)}</figure>`,
        )}</div>`,
  )}
</section>`;
}
