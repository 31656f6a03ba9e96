/** How many of the teacher's samples became training rows, and why the others did not. */

import { stageLabel } from '../arms.ts';
import { html, type Markup } from '../markup.ts';
import { quantity } from '../number-format.ts';
import { funnelFigure } from '../plots.ts';
import type { ReportData, StageFunnel } from '../run-data.ts';

/** The funnel of every stage beside the split of the documents. */
export function funnelSection(data: ReportData): Markup {
  const split = data.documents;
  return html`<section id="funnel" aria-labelledby="funnel-title">
  <h2 id="funnel-title">From labels to training rows</h2>
  ${
    split &&
    html`<p class="soft">Documents: ${quantity(split.train)} for training, ${quantity(split.dev)} for dev loss, ${quantity(split.validation)} that nothing read before validation.</p>`
  }
  ${
    data.funnels.length > 0
      ? html`<div class="grid">${data.funnels.map(stageFunnel)}</div>`
      : html`<p>No curated samples yet: run <code>mga curate</code>.</p>`
  }
</section>`;
}

function stageFunnel(funnel: StageFunnel): Markup {
  return html`<div class="panel"><h3>${stageLabel(funnel.stage)}</h3>
  <figure>${funnelFigure(funnel)}</figure>
  ${
    funnel.dropped.length > 0 &&
    html`<table><caption>Dropped, by reason</caption>
    <thead><tr><th scope="col">Reason</th><th scope="col">Samples</th></tr></thead>
    <tbody>${funnel.dropped.map(({ reason, count }) => html`<tr><th scope="row">${reason}</th><td>${quantity(count)}</td></tr>`)}</tbody></table>`
  }</div>`;
}
