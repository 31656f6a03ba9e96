/** The report's style sheet: calm, light and dark, narrow and wide, screen and print. */

const LIGHT = `
  --paper: #faf9f6; --surface: #ffffff; --line: #e3e0d8; --ink: #1d2328; --soft: #515a61; --quiet: #757d84;
  --accent: #1f6f6b; --accent-soft: #e4f0ee; --focus: #0b62c4;
  --pass: #1c6b3c; --pass-soft: #e3f2e8; --fail: #a13a22; --fail-soft: #fae9e4; --undecided: #805600; --undecided-soft: #f9f0da;
  --none: #515a61; --none-soft: #eeece6;
  --insert: #d5eedd; --delete: #f8dcd5; --delete-ink: #8c3220;
  --arm-teacher: #3c4a78; --arm-base: #9a8668; --arm-student: #1f7f79; --arm-student-w8a8: #b0562c; --arm-other: #7a5a8e;
  --arm-source: #1d2328; --arm-strict: #7d8f1f; --arm-relaxed: #b8478f;`;

const DARK = `
  --paper: #14181b; --surface: #1b2125; --line: #323a40; --ink: #e7e9ea; --soft: #b3bbc1; --quiet: #8f989f;
  --accent: #6fc3bb; --accent-soft: #1d3533; --focus: #7db7ff;
  --pass: #86d3a0; --pass-soft: #1b3325; --fail: #f0a08a; --fail-soft: #3c231d; --undecided: #e6c170; --undecided-soft: #37301c;
  --none: #b3bbc1; --none-soft: #272e33;
  --insert: #1f4630; --delete: #54291f; --delete-ink: #f3b5a5;
  --arm-teacher: #9aa9e0; --arm-base: #c2ab87; --arm-student: #62c2ba; --arm-student-w8a8: #e6936b; --arm-other: #c09fd4;
  --arm-source: #e7e9ea; --arm-strict: #bfce62; --arm-relaxed: #ec8cc6;`;

/** The whole style sheet. */
export const STYLE_SHEET = `
:root { color-scheme: light; ${LIGHT} }
@media screen and (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { color-scheme: dark; ${DARK} } }
@media screen { :root[data-theme="dark"] { color-scheme: dark; ${DARK} } }

* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 4rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; }
h2 { font-size: 1.35rem; margin: 0 0 .25rem; font-weight: 620; letter-spacing: -.01em; }
h3 { font-size: 1.02rem; margin: 0 0 .4rem; font-weight: 620; }
p { margin: 0 0 .75rem; max-width: 72ch; text-wrap: pretty; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.number { font-variant-numeric: tabular-nums; }
.hidden-text { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -999px; top: 0; background: var(--surface); padding: .6rem 1rem; z-index: 3; }
.skip:focus { left: 0; }

.bar { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--line); }
.bar > div { max-width: 1280px; margin: 0 auto; padding: .55rem 1.25rem; display: flex; gap: 1.25rem; align-items: center; }
.bar strong { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.bar nav { display: flex; gap: 1.1rem; margin-left: auto; font-size: .9rem; }
.bar nav a { color: var(--soft); text-decoration: none; padding: .2rem 0; }
.bar nav a:hover { color: var(--ink); text-decoration: underline; }
button, select, input { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--quiet); border-radius: 6px; padding: .3rem .6rem; max-width: 100%; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--ink); }
button:disabled { opacity: .5; cursor: default; }
.bar button { font-size: .85rem; white-space: nowrap; }

main { max-width: 1280px; margin: 0 auto; padding: 0 1.25rem 4rem; }
section { margin-top: 3.25rem; }
section > .panel { margin-top: 1rem; }
.panel { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); margin-top: 1rem; }
.grid.four { grid-template-columns: repeat(auto-fit, minmax(min(100%, 140px), 1fr)); }

.verdict { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 1.5rem 3rem; align-items: center; margin-top: 2.25rem; padding: 2rem 2.25rem; border-left: 6px solid var(--tone); }
.verdict h1 { font: 500 clamp(1.7rem, 3.4vw, 2.5rem)/1.14 ui-serif, "Iowan Old Style", Palatino, Georgia, "Liberation Serif", serif; margin: .7rem 0 .9rem; letter-spacing: -.015em; }
.verdict .evidence { font-size: 1.1rem; }
.verdict figure { margin: 0; }
.pass { --tone: var(--pass); --tone-soft: var(--pass-soft); } .fail { --tone: var(--fail); --tone-soft: var(--fail-soft); }
.undecided { --tone: var(--undecided); --tone-soft: var(--undecided-soft); } .none { --tone: var(--none); --tone-soft: var(--none-soft); }
.badge { display: inline-block; background: var(--tone-soft); color: var(--tone); border-radius: 999px; padding: .15rem .8rem; font-weight: 650; font-size: .85rem; }
.stages { list-style: none; padding: 0; margin: 1rem 0 0; border-top: 1px solid var(--line); padding-top: .75rem; }
.notes { background: var(--undecided-soft); border-radius: 10px; padding: .8rem 1.25rem; margin-top: 1rem; }
.notes h2 { font-size: 1rem; } .notes ul { margin: .25rem 0 0; padding-left: 1.1rem; }

figure { margin: 0; } figcaption { color: var(--soft); font-size: .875rem; margin-top: .35rem; }
.plot { display: block; width: 100%; max-width: 560px; height: auto; color: var(--soft); font: 12px system-ui, "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums; background: none; overflow: visible; }
.plot text { white-space: pre; }
.four .plot { max-width: 300px; }
.key { display: inline-block; width: .7em; height: .7em; border-radius: 50%; background: var(--key, var(--quiet)); margin-right: .45em; }
.legend { display: inline-block; margin-right: 1rem; }
.legend .sign { color: var(--key, var(--quiet)); font-weight: 700; }
.key.ring { background: none; border: 1.5px solid var(--quiet); }
.arm-teacher { --key: var(--arm-teacher); } .arm-base { --key: var(--arm-base); } .arm-student { --key: var(--arm-student); } .arm-student-w8a8 { --key: var(--arm-student-w8a8); } .arm-other { --key: var(--arm-other); }
.arm-source { --key: var(--arm-source); } .arm-strict { --key: var(--arm-strict); } .arm-relaxed { --key: var(--arm-relaxed); }

.scroll { position: relative; overflow-x: auto; margin-top: .75rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .93rem; }
caption { max-width: calc(100vw - 4.5rem); text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th, td { text-align: right; padding: .5rem .55rem; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th:first-child, td.text, th.text { text-align: left; }
td.text { white-space: normal; }
thead th { color: var(--soft); font-weight: 550; font-size: .82rem; line-height: 1.3; vertical-align: bottom; white-space: normal; }
tbody th { font-weight: 600; }
.scroll th:first-child { position: sticky; left: 0; background: var(--surface); }
.scroll tr.deployed th:first-child { background: var(--accent-soft); }
tbody tr:last-child > * { border-bottom: 0; }
th small { white-space: normal; overflow-wrap: anywhere; min-width: 8rem; }
td small, th small { display: block; color: var(--soft); font-weight: 400; font-size: .8rem; }
td.strong { font-weight: 650; } td.strong small { font-weight: 400; }
tr.deployed > * { background: var(--accent-soft); }
details { margin-top: .75rem; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
pre { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; font-size: .82rem; line-height: 1.5; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; font-size: .93rem; } dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }

.filters { display: flex; flex-wrap: wrap; gap: .7rem 1rem; align-items: end; margin: 1rem 0; }
.filters label { display: grid; gap: .15rem; font-size: .82rem; color: var(--soft); }
.filters select { color: var(--ink); font-size: .92rem; min-width: 6.5rem; max-width: 15rem; }
.count { margin: 0; font-weight: 600; }
.sample { margin-top: 1.25rem; }
.sample header { display: flex; flex-wrap: wrap; gap: .1rem .9rem; align-items: baseline; }
.sample header h3 { margin: 0; }
.pair { margin: .35rem 0 0; font-size: .875rem; color: var(--soft); max-width: 110ch; }
.texts { display: grid; gap: .9rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 205px), 1fr)); margin-top: .9rem; }
.output { border-top: 3px solid var(--key, var(--quiet)); padding-top: .5rem; min-width: 0; }
.output h4 { margin: 0; font-size: .88rem; } .facts { margin: 0 0 .4rem; min-height: 1.5em; font-size: .82rem; color: var(--soft); }
.facts b { color: var(--ink); } .facts .bad { color: var(--fail); } .facts .good { color: var(--pass); }
.body { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .9rem; line-height: 1.5; max-height: 20.25rem; overflow-y: auto; padding-right: .4rem; }
.reason { font-size: .82rem; color: var(--soft); margin: .4rem 0 0; }
ins { background: var(--insert); text-decoration: none; border-radius: 3px; } del { background: var(--delete); color: var(--delete-ink); border-radius: 3px; }
.pager { display: flex; gap: .75rem; align-items: center; margin-top: 1.25rem; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }

@media (max-width: 900px) { .verdict { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 700px) {
  body { font-size: 15px; } main, .bar > div { padding-left: 1rem; padding-right: 1rem; }
  .bar nav { display: none; } .bar button { margin-left: auto; } section { margin-top: 2.5rem; }
  .verdict { padding: 1.25rem 1.1rem; margin-top: 1rem; } .panel { padding: .9rem 1rem; }
  .filters label { flex: 1 1 8rem; } .filters select { width: 100%; max-width: none; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  body { background: none; font-size: 10pt; } main { max-width: none; padding: 0; }
  .bar, .skip, .filters, .pager, .no-print { display: none; }
  .panel, .verdict, .notes { border-color: #bbb; background: none; } .verdict, .grid > *, tr { break-inside: avoid; }
  .verdict { border-left-color: var(--tone); margin-top: 0; padding: .5rem 0 .5rem 1rem; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); } section { margin-top: 1.5rem; } h2, h3, section > .soft { break-after: avoid; }
  .scroll { overflow: visible; } table { font-size: 8pt; } thead th, caption { font-size: 7.5pt; } th, td { padding: .25rem .35rem; } td small, th small { font-size: 7pt; }
  .body { max-height: none; overflow: visible; font-size: 8pt; line-height: 1.35; } .texts { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); } .reason { font-size: 7pt; } .sample header, .pair { break-after: avoid; }
  ins, del, .badge, .key, tr.deployed > * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
