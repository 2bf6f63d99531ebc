// The page's own style, served as a file so that the content security policy can forbid anything inline. A phone first.
import { THEME_STYLE } from "./theme.ts";

const FRAME = `
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; font-variant-numeric: tabular-nums; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.2rem; line-height: 1.3; }
h3 { font-size: 1rem; line-height: 1.3; color: var(--soft); font-weight: 600; }
a { color: var(--accent); text-underline-offset: .15em; }
code { font: .92em ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
main { display: block; max-width: 76rem; margin: 0 auto; padding: 0 1rem 1rem; outline: none; }
main > *, .columns > * > *, .narrow > * { margin-bottom: 1rem; }
.columns > * > [data-live]:empty, main > [data-live]:empty { margin: 0; }
#notices > *, #under-way > * { margin-bottom: 1rem; }
#notices, #under-way { margin-bottom: 0; }
.narrow { max-width: 44rem; margin: 0 auto; }
.top, footer { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; max-width: 76rem; margin: 0 auto; padding: .9rem 1rem; }
.device { font-weight: 650; } .group, .soft, dt, footer, .code { color: var(--soft); }
.soft, .code, footer, .small { font-size: .95rem; }
.skip { position: absolute; left: 1rem; top: -10rem; padding: .75rem 1rem; background: var(--card); z-index: 2; }
.skip:focus { top: .5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: .4rem; }
.hero :focus-visible { outline-color: var(--on-big); }
.card, .notice { padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .9rem; }
.card > * + *, .notice > * + * { margin-top: .6rem; }
.icon { width: 1.15em; height: 1.15em; vertical-align: -.22em; flex: none; }
`;

const STATES = `
.hero { padding: 1.1rem; border-radius: 1.1rem; overflow: hidden; color: var(--on-big); background: var(--quiet-big); }
.hero .icon { float: left; width: 3.4rem; height: 3.4rem; margin: 0 .8rem .3rem 0; padding: .25rem; border-radius: 50%; background: rgb(255 255 255 / 16%); }
/* The state is read last and seen first: from two metres away it is all there is. */
.hero h1 { font-size: clamp(1.2rem, 4.6vw, 1.6rem); font-weight: 500; }
.hero .state { display: block; clear: both; font-size: clamp(2rem, 11vw, 5rem); overflow-wrap: normal; font-weight: 750; line-height: 1.05; letter-spacing: -.02em; }
.hero p { margin-top: .35rem; font-size: 1.0625rem; }
.hero.good { background: var(--good-big); } .hero.busy { background: var(--busy-big); } .hero.waiting { background: var(--waiting-big); }
.hero.bad { background: var(--bad-big); }
.notice { border-left-width: .4rem; }
.notice.bad { background: var(--bad-wash); border-color: var(--bad); } .notice.bad h2, .notice.bad h3 { color: var(--bad); }
.notice.waiting { background: var(--waiting-wash); border-color: var(--waiting); } .notice.waiting h2 { color: var(--waiting); }
.notice.good { background: var(--good-wash); border-color: var(--good); }
.next { font-size: 1.0625rem; }
.pill { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-size: .9rem; font-weight: 600; white-space: nowrap;
  background: var(--quiet-wash); color: var(--quiet); }
.pill.good { background: var(--good-wash); color: var(--good); } .pill.busy { background: var(--busy-wash); color: var(--busy); }
.pill.waiting { background: var(--waiting-wash); color: var(--waiting); } .pill.bad { background: var(--bad-wash); color: var(--bad); }
.steps li { position: relative; padding: 0 0 .7rem 2rem; }
.steps li::before { content: ""; position: absolute; left: .3rem; top: .35rem; width: .8rem; height: .8rem; border-radius: 50%; border: 2px solid var(--edge); background: var(--card); z-index: 1; }
.steps li:not(:last-child)::after { content: ""; position: absolute; left: .65rem; top: .6rem; bottom: -.4rem; width: 2px; background: var(--line); }
.steps .what { display: block; font-weight: 600; }
.steps .done::before { background: var(--good); border-color: var(--good); }
.steps .failed::before { background: var(--bad); border-color: var(--bad); } .steps .failed .what { color: var(--bad); }
.steps .now::before { background: var(--busy); border-color: var(--busy); box-shadow: 0 0 0 .25rem var(--busy-wash); animation: breathe 2s ease-in-out infinite; }
.steps .now .what { color: var(--busy); } .steps .next { color: var(--soft); } .steps .next .what { font-weight: 400; }
.steps .undone::before { background: var(--waiting); border-color: var(--waiting); box-shadow: 0 0 0 .25rem var(--waiting-wash); } .steps .undone .what { color: var(--waiting); }
@keyframes breathe { 50% { box-shadow: 0 0 0 .45rem var(--busy-wash); } }
progress { display: block; width: 100%; height: 1.1rem; margin-bottom: .35rem; border: 0; border-radius: .6rem; overflow: hidden; background: var(--track);
  -webkit-appearance: none; appearance: none; color: var(--busy); }
progress::-webkit-progress-bar { background: var(--track); } progress::-webkit-progress-value { background: var(--busy); }
progress::-moz-progress-bar { background: var(--busy); }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
`;

const CONTENT = `
dl { display: grid; grid-template-columns: minmax(6rem, max-content) minmax(0, 1fr); gap: .3rem 1rem; }
.slots, .change { display: grid; gap: .75rem; }
@media (min-width: 34rem) { .slots { grid-template-columns: 1fr 1fr; } .change { grid-template-columns: 1fr auto 1fr; align-items: center; } }
.slot { padding: .8rem; border: 1px solid var(--line); border-radius: .7rem; min-width: 0; }
.slot h2 { font-size: 1rem; color: var(--soft); }
.version { font-size: 1.6rem; font-weight: 650; line-height: 1.3; } .version.none { color: var(--soft); font-weight: 400; }
.arrow { font-size: 2rem; text-align: center; color: var(--soft); }
summary { cursor: pointer; padding: .4rem 0; min-height: 2.75rem; display: flex; align-items: center; gap: .5rem; }
summary::-webkit-details-marker { display: none; }
summary::after { content: ""; flex: none; width: .55rem; height: .55rem; margin: 0 .4rem 0 auto; border: solid var(--soft); border-width: 0 2px 2px 0; transform: rotate(45deg); }
details[open] > summary::after { transform: rotate(225deg); }
.digest summary { padding: 0; } .digest summary::after { margin-left: .2rem; }
.whole { display: block; padding: .4rem .6rem; border-radius: .4rem; background: var(--quiet-wash); user-select: all; -webkit-user-select: all; }
.timeline > li { border-top: 1px solid var(--line); } .timeline > li:last-child { border-bottom: 1px solid var(--line); }
.timeline details > * + * { margin-top: .5rem; } .timeline details[open] { padding-bottom: 1rem; }
.timeline summary .line { flex: 1; min-width: 0; } .timeline time { color: var(--soft); } .timeline summary time { display: block; }
@media (min-width: 34rem) { .timeline summary time { float: right; } }
.timeline .good > details > summary .icon { color: var(--good); } .timeline .bad > details > summary .icon { color: var(--bad); }
.timeline .waiting > details > summary .icon { color: var(--waiting); }
.chart { padding: .8rem; border: 1px solid var(--line); border-radius: .7rem; }
.chart figcaption { color: var(--soft); display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; } .chart li { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; padding-top: .5rem; }
.chart .name { flex: 1 1 7rem; } .chart svg { width: 100%; height: 1rem; display: block; overflow: visible; }
.chart .track { fill: var(--track); } .chart .fill { fill: var(--busy); } .chart .over .fill { fill: var(--bad); } .chart .verdict { color: var(--bad); font-weight: 600; }
.chart .limit { stroke: var(--ink); stroke-width: 2; stroke-dasharray: 4 3; }
.limit-key { white-space: nowrap; } .limit-key::before { content: ""; display: inline-block; height: .9em; margin: 0 .4em -.1em 0; border-left: 2px dashed var(--ink); }
.gauges { display: block; } .gauges > div { display: grid; grid-template-columns: minmax(0, 1fr); padding: .3rem 0; }
.bar { display: block; width: 100%; height: .5rem; margin-top: .2rem; border-radius: .25rem; }
.bar .track { fill: var(--track); } .bar .fill { fill: var(--good); } .bar.busy .fill { fill: var(--busy); }
.bar.waiting .fill { fill: var(--waiting); } .bar.bad .fill { fill: var(--bad); }
.qr { display: block; width: min(100%, 14rem); height: auto; margin: 0 auto; border-radius: .5rem; }
.identity .id { text-align: center; }
.confirm ol { list-style: decimal; padding-left: 1.5rem; } .confirm li + li { margin-top: .3rem; }
`;

const FORMS = `
.small { align-items: center; }
.action { border-top: 1px solid var(--line); } .action > summary { font-weight: 600; min-height: 3.25rem; }
.action form, .confirm form { display: grid; gap: .8rem; padding: .6rem 0 1rem; max-width: 26rem; }
.field { display: grid; gap: .25rem; font-weight: 600; }
input, select, button, .button { min-height: 3rem; padding: .5rem .9rem; border: 1px solid var(--edge); border-radius: .6rem; font: inherit; color: var(--ink); background: var(--card); }
input, select { width: 100%; }
button, .button { display: inline-flex; align-items: center; justify-content: center; font-weight: 650; text-decoration: none; cursor: pointer; border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.button.quiet { background: var(--card); color: var(--accent); }
button.danger { background: var(--bad-big); border-color: var(--bad-big); color: var(--on-big); }
.row { display: flex; align-items: center; min-height: 3.25rem; border-top: 1px solid var(--line); font-weight: 600; color: inherit; text-decoration: none; }
.row::after { content: ""; flex: none; width: .55rem; height: .55rem; margin: 0 .5rem 0 auto; border: solid var(--soft); border-width: 2px 2px 0 0; transform: rotate(45deg); }
.row:hover, summary:hover { text-decoration: underline; }
.actions > * + .action, .actions > * + .row { margin-top: 0; } .row.off { color: var(--soft); font-weight: 400; } .row.off::after { content: none; }
.diagnostics { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; border-top: 1px solid var(--line); padding-top: 1rem; }
@media (min-width: 62rem) {
  .columns { display: grid; grid-template-columns: minmax(0, 1.65fr) minmax(0, 1fr); gap: 0 1.25rem; align-items: start; }
  .hero { padding: 1.75rem 2rem; } .hero .icon { width: 7rem; height: 7rem; margin-right: 1.75rem; padding: .5rem; } .hero .state { clear: none; } .card, .notice { padding: 1.25rem; }
}
@media print {
  html { font-size: 10pt; } .actions, .skip, #again, .live, .flash { display: none; }
  .hero[class] { color: var(--ink); background: none; border: 3px solid var(--ink); }
  .card, .notice, .timeline > li { break-inside: avoid; } .columns { display: block; } a { color: inherit; }
}
`;

export const STYLE = `${THEME_STYLE}${FRAME}${STATES}${CONTENT}${FORMS}`;

/** A tick in a circle; the state itself is on the page. */
export const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="11" fill="#0b665f"/><path d="M6.5 12.5l4 4L18 8.5" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
