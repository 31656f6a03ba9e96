/** The page of a review: one file with its own script and style, and no text of the run in it (these come with the token). */

import { THEME_SCRIPT } from '../report/client/theme-script.ts';
import { html, trusted } from '../report/markup.ts';
import { sourceHash } from '../report/page-shell.ts';
import { STYLE_SHEET } from '../report/style.ts';
import { REVIEW_SCRIPT } from './client/review-script.ts';

const REVIEW_STYLE = `${STYLE_SHEET}
.bar progress { width: 8rem; accent-color: var(--accent); }
.bar .count { font-weight: 500; font-size: .9rem; white-space: nowrap; margin-left: auto; }
kbd { font: inherit; font-size: .8em; color: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: 0 .3em; }
main.review { padding-bottom: 1.5rem; max-width: 1600px; }
.bar > .wide { max-width: 1600px; }
.rubric p { white-space: pre-line; max-width: 100ch; font-size: .9rem; }
.desk { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.9fr); gap: 1rem; margin-top: .75rem; align-items: stretch; }
#texts { display: grid; gap: 1rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
#texts[data-texts="1"] { grid-template-columns: minmax(0, 1fr); }
.desk section { margin-top: 0; }
.desk h2 { font-size: 1.02rem; margin: 0 0 .5rem; }
.desk .body { max-height: none; height: calc(100vh - 19rem); min-height: 13rem; font-size: .95rem; line-height: 1.55; }
.desk .panel { padding: .9rem 1.1rem; }
.rated-text { border-top: 4px solid var(--line); }
.rated-text.active { border-top-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.scale { display: grid; grid-template-columns: repeat(5, 1fr); gap: .4rem; margin-top: .8rem; }
.scale button { font-weight: 650; padding: .5rem 0; }
.scale button[aria-pressed="true"] { background: var(--accent); color: var(--surface); border-color: var(--accent); }
.scale-ends { display: flex; justify-content: space-between; }
.desk-foot { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; margin-top: .9rem; }
.failure { background: var(--fail-soft); color: var(--fail); border-radius: 10px; padding: .7rem 1.1rem; margin-top: .9rem; max-width: none; }
.done { background: var(--pass-soft); color: var(--pass); border-radius: 10px; padding: .7rem 1.1rem; margin-top: .9rem; max-width: none; }
[hidden] { display: none !important; }
@media (max-width: 900px) { .desk, #texts { grid-template-columns: minmax(0, 1fr); } .desk .body { height: auto; max-height: 45vh; min-height: 0; } }
@media (max-width: 700px) { .bar progress { display: none; } }
`;

const SCRIPT = `'use strict';\n{${THEME_SCRIPT}${REVIEW_SCRIPT}}`;

/**
 * @param options what the judge is told: `rubric` about the levels and, of a stage of the recipe's own, `task` about what the texts are to be
 */
export function reviewPage({ name, task, rubric }: { name: string; task?: string | undefined; rubric: string }): {
  html: string;
  policy: string;
} {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}: review</title>
<link rel="icon" href="data:,">
<style>${trusted(REVIEW_STYLE)}</style>
</head>
<body>
<a class="skip" href="#texts">Skip to the texts</a>
<header class="bar"><div class="wide"><strong>${name}: review</strong>
<span class="count number" id="count"></span><progress id="progress" max="1" value="0" aria-label="Answered"></progress>
<button type="button" id="theme">Theme: system</button></div></header>
<main class="review">
<h1 class="hidden-text">Rate texts blind</h1>
<p class="failure" id="failure" role="alert" hidden></p>
<p class="done" id="done" role="status" hidden>All are rated. Close this page and end mga review with Ctrl-C; mga validate counts the ratings. Until then every one can be changed.</p>
<p class="hidden-text" id="said" role="status"></p>
<details class="rubric" id="rubric"><summary>How to rate</summary>
<p>Read the document, then rate each text for itself, by what it makes of the document: 5 is best. Who wrote it, and what the judge thought, is not shown; every arm and every score of the judge is among them. What follows are the words the judge is given: ${task === undefined ? 'the original is the document, A the text' : 'the task, then the rubric'}.</p>
${task !== undefined && html`<p id="task">${task}</p>`}
<p>${levelsApart(rubric)}</p></details>
<div id="review" hidden>
<p class="pair" id="pair"><b>Genre:</b> <span id="genre"></span> <b>Audience:</b> <span id="audience"></span></p>
<div class="desk">
<section class="panel" aria-labelledby="source-title"><h2 id="source-title">Document</h2>
<div class="body" id="source" tabindex="0" role="region" aria-label="Document, text"></div></section>
<div id="texts"></div>
</div>
<div class="desk-foot">
<button type="button" id="previous">Previous <kbd>←</kbd></button><button type="button" id="next">Next <kbd>→</kbd></button>
<button type="button" id="skip">Skip <kbd>S</kbd></button><button type="button" id="undo">Undo <kbd>U</kbd></button>
<span class="small soft number" id="place"></span>
<span class="small soft">Keys <kbd>1</kbd> to <kbd>5</kbd> rate the marked text, <kbd>L</kbd> and <kbd>R</kbd> mark one. Each rating is saved at once.</span>
</div>
</div>
<noscript><p class="panel">Rating needs this page's own script, which your browser does not run.</p></noscript>
</main>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.markup;
  return { html: page, policy: POLICY };
}

/** Each level in a line of its own, where the rubric names them as ours does. */
function levelsApart(rubric: string): string {
  return rubric.replace(/ (?=[1-4]: )/g, '\n');
}

/** The page talks to its own server alone, and no page may frame it. */
const POLICY = [
  "default-src 'none'",
  `script-src ${sourceHash(SCRIPT)}`,
  `style-src ${sourceHash(REVIEW_STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
