/** Collapse analysis: what training on synthetic text did to the losses of real text, and where in a text. */

import { anomalyFigure, lossdiffFigure } from '../collapse-figure.ts';
import { html, type Markup } from '../markup.ts';
import { ABSENT, percent, percentInterval, quantity } from '../number-format.ts';
import type { Collapse, ReportData } from '../run-data.ts';
import { scrollTable } from './scroll-table.ts';

/** Figures and table; nothing where the run's folder has no analysis. */
export function collapseSection({ collapse }: ReportData): Markup | false {
  if (collapse === undefined) return false;
  const { texts, tokens, k, window, anomalies, std, aboveZero } = collapse;
  return html`<section id="collapse" aria-labelledby="collapse-title">
  <h2 id="collapse-title">Signs of collapse</h2>
  <p class="soft">Losses of two checkpoints on the same ${quantity(texts)} texts (${quantity(tokens)} tokens), token by token: lossdiff is the loss of ${collapse.synthetic} minus that of ${collapse.real}. A text's first anomaly is where the mean over a ${window.direction ?? ''} window of ${percent(window.share)} of it first exceeds |mean| + ${k ?? ABSENT} × std of its lossdiff. A mean loss alone does not show collapse.</p>
  <div class="grid">
    <div class="panel"><h3>First anomalies</h3><figure>${anomalyFigure(collapse)}
      <figcaption>${quantity(anomalies.texts)} of ${quantity(texts)} texts have one (${percent(anomalies.share)}${anomalies.interval && `, 95% interval ${percentInterval(anomalies.interval)}`})${anomalies.median !== undefined && `; median position ${percent(anomalies.median)}`}.</figcaption></figure></div>
    <div class="panel"><h3>Lossdiff along a text</h3><figure>${lossdiffFigure(collapse)}
      <figcaption>Band: 95% interval over texts. Over all tokens: standard deviation ${std?.toFixed(3) ?? ABSENT}, ${percent(aboveZero)} above zero.</figcaption></figure></div>
  </div>
  <div class="panel">${lossTable(collapse)}</div>
</section>`;
}

function lossTable({ real, synthetic, loss, lossdiff }: Collapse): Markup {
  const rows = [
    ['Real-trained, or before', real, loss.real],
    ['Synthetic-trained, or after', synthetic, loss.synthetic],
    ['Lossdiff', '', lossdiff],
  ] as const;
  return scrollTable(
    'Losses of both checkpoints',
    html`<table><caption>Nats a token; 95% intervals over texts</caption>
    <thead><tr><th scope="col">Checkpoint</th><th scope="col">Mean</th></tr></thead>
    <tbody>${rows.map(
      ([name, model, value]) =>
        html`<tr><th scope="row">${name}${model && html`<small>${model}</small>`}</th><td>${value?.mean.toFixed(3) ?? ABSENT}${value?.interval && html`<small>${value.interval.map((bound) => bound.toFixed(3)).join(' to ')}</small>`}</td></tr>`,
    )}</tbody></table>`,
  );
}
