/** The page's whole look. Colours stand once, for light and dark; a shape or word goes with each, so that none is needed. */
export const stylesheet = `
:root {
  color-scheme: light dark;
  --page: #fcfcfb; --card: #ffffff; --ink: #1a1c20; --soft: #565b64; --line: #dcdee2; --grid: #e9eaed;
  --pass: #14713d; --fail: #b3261e; --inconclusive: #8a5300; --void: #6a3fa0;
  --pass-tint: #e3f4e9; --fail-tint: #fce8e6; --inconclusive-tint: #fdf0d9; --void-tint: #f0e8fa;
  --window: #f6dfae; --window-ink: #8a5300; --band: #eef0f3; --band2: #fbeccb;
  --p50: #6fa3e0; --p90: #2f74c8; --p99: #0b3d84; --sent: #b4bcc9;
  --b0: #0b3d84; --b1: #b04a00; --b2: #6a3fa0; --b3: #00695c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131519; --card: #1a1d22; --ink: #e9eaec; --soft: #a5abb5; --line: #343942; --grid: #272b32;
    --pass: #66cf92; --fail: #ff8a80; --inconclusive: #f2b759; --void: #c4a2f2;
    --pass-tint: #17301f; --fail-tint: #3d1d1b; --inconclusive-tint: #36290f; --void-tint: #2b2139;
    --window: #3b2f16; --window-ink: #f2b759; --band: #23272e; --band2: #3b2f16;
    --p50: #4a78b3; --p90: #74abec; --p99: #cfe3ff; --sent: #4e5663;
    --b0: #9cc6ff; --b1: #ffab73; --b2: #c4a2f2; --b3: #6fd3c5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums;
}
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; }
h1 { font-size: 28px; letter-spacing: -0.01em; }
h2 { font-size: 22px; letter-spacing: -0.005em; }
h3 { font-size: 16px; margin: 32px 0 8px; }
h4 { font-size: 14px; }
p { margin: 0; }
a { color: inherit; text-underline-offset: 3px; text-decoration-color: var(--soft); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--p90); outline-offset: 2px; border-radius: 3px; }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { margin: 0; padding: 12px 14px; background: var(--band); border-radius: 8px; white-space: pre-wrap; }
.muted, .legend, figcaption, caption, .facts { color: var(--soft); }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--card); padding: 6px 10px; }

header { padding-top: 36px; padding-bottom: 8px; }
header .over { color: var(--soft); font-size: 13px; margin-bottom: 6px; }
header .title { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: center; }
header .facts { margin-top: 8px; font-size: 14px; }

.badge {
  display: inline-flex; align-items: center; gap: 5px; padding: 1px 10px 1px 7px; border-radius: 99px;
  font-size: 13px; font-weight: 600; line-height: 22px; white-space: nowrap; letter-spacing: 0;
}
.badge { justify-self: start; }
.badge svg { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.badge.pass { color: var(--pass); background: var(--pass-tint); }
.badge.fail { color: var(--fail); background: var(--fail-tint); }
.badge.inconclusive { color: var(--inconclusive); background: var(--inconclusive-tint); }
.badge.void { color: var(--void); background: var(--void-tint); }
h1 + .badge { font-size: 16px; line-height: 28px; padding-right: 14px; }

.experiment { border-top: 1px solid var(--line); margin-top: 44px; padding-top: 32px; }
.experiment:first-of-type { border-top: 0; margin-top: 12px; }
.experiment .name { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; }
.experiment .facts { margin: 6px 0 0; font-size: 14px; }
.note { margin: 12px 0 0; padding: 8px 16px; border-left: 4px solid var(--line); }
h4.trace { margin-top: 22px; }
.reasons { margin: 16px 0 0; padding: 12px 16px; list-style: none; border-left: 4px solid; border-radius: 0 8px 8px 0; }
.reasons li + li { margin-top: 6px; }
.reasons.pass { border-color: var(--pass); background: var(--pass-tint); }
.reasons.fail { border-color: var(--fail); background: var(--fail-tint); }
.reasons.inconclusive { border-color: var(--inconclusive); background: var(--inconclusive-tint); }
.reasons.void { border-color: var(--void); background: var(--void-tint); }

.numbers { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1px; margin: 20px 0 0; background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.numbers div { background: var(--card); padding: 10px 14px; }
.numbers dt { font-size: 12.5px; color: var(--soft); }
.numbers dd { margin: 0; font-size: 19px; font-weight: 600; line-height: 1.35; }
.numbers .small { display: block; font-size: 12.5px; font-weight: 400; color: var(--soft); }

table { width: 100%; border-collapse: collapse; font-size: 14px; }
caption { text-align: left; font-size: 13px; padding-bottom: 6px; }
th, td { text-align: left; padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 12.5px; padding-top: 2px; padding-bottom: 4px; vertical-align: bottom; overflow-wrap: normal; }
tbody th { font-weight: 600; min-width: 9em; }
.number { text-align: right; }
td.number { white-space: nowrap; }
.under { display: block; font-weight: 400; font-size: 12.5px; color: var(--soft); }
td.whisker { width: 30%; min-width: 180px; }
th.moment { width: 96px; }
td.about { width: 32%; }
td.kind { width: 110px; color: var(--soft); }

figure { margin: 0; }
.plots { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 24px 32px; margin-top: 24px; }
.lanes { margin-top: 24px; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 14px; align-items: baseline; margin-bottom: 6px; }
figcaption h4 { color: var(--ink); }
.legend { font-size: 12.5px; display: flex; flex-wrap: wrap; gap: 2px 12px; }
.key { display: inline-flex; align-items: center; gap: 5px; }
.key svg { flex: none; overflow: visible; }
.canvas { display: grid; grid-template-columns: 46px minmax(0, 1fr); column-gap: 6px; }
.canvas svg { display: block; }
.canvas > svg.axis { width: 46px; }
.canvas > svg.area { width: 100%; overflow: visible; }
.tick { font-size: 11.5px; fill: var(--soft); }
.grid { stroke: var(--grid); }
.base { stroke: var(--line); }
.window { fill: var(--window); opacity: .5; }
.parting { stroke: var(--window-ink); stroke-dasharray: 3 3; opacity: .7; }
.killed { stroke: var(--fail); stroke-width: 1.5; stroke-dasharray: 1.5 3; }
.curve { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.curve.p50 { stroke: var(--p50); stroke-dasharray: 1.5 4; stroke-width: 2; }
.curve.p90 { stroke: var(--p90); stroke-dasharray: 6 4; }
.curve.p99 { stroke: var(--p99); stroke-width: 2; }
.curve.errors { stroke: var(--fail); }
.fill.errors { fill: var(--fail); opacity: .16; }
.bars.sent { fill: var(--sent); }
.bars.failed { fill: var(--fail); }
.curve.burn0 { stroke: var(--b0); }
.curve.burn1 { stroke: var(--b1); stroke-dasharray: 6 4; }
.curve.burn2 { stroke: var(--b2); stroke-dasharray: 1.5 4; stroke-width: 2; }
.curve.burn3 { stroke: var(--b3); stroke-dasharray: 9 3 2 3; }
.curve.limit { stroke: var(--soft); stroke-dasharray: 4 3; stroke-width: 1.25; }
.phases text { font-size: 11px; fill: var(--ink); }
.label { font-size: 12px; line-height: 17px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; overflow-wrap: normal; }
.label span { background: var(--page); padding-right: 5px; }
.bins rect { fill: var(--ink); opacity: 0; }
.bins rect:hover { opacity: .09; }
.phase { fill: var(--band); }
.phase1 { fill: var(--band2); }
.phases text { font-weight: 600; }
.rail { stroke: var(--grid); stroke-width: 2; }
.lane.fault rect { fill: var(--window-ink); }
.lane.instance rect { fill: var(--fail); opacity: .45; }
.lane.alert rect { fill: var(--void); }
.sign { stroke: var(--ink); stroke-width: 2; fill: var(--ink); }
.sign.cross { stroke: var(--fail); stroke-width: 2.5; }
.sign.triangle { fill: var(--pass); stroke: var(--pass); stroke-width: 1; }
.sign.diamond { fill: var(--fail); stroke: var(--fail); stroke-width: 1; }
.whiskers { display: block; width: 100%; overflow: visible; }
.whiskers .target { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 3 2; }
.whiskers .range { stroke-width: 2.5; stroke: currentColor; }
.whiskers .ratio { fill: currentColor; }
.whiskers.pass { color: var(--pass); } .whiskers.fail { color: var(--fail); }
.whiskers.inconclusive { color: var(--inconclusive); } .whiskers.void { color: var(--void); }
.empty { margin-top: 20px; padding: 16px; background: var(--band); border-radius: 8px; }
details { margin-top: 32px; }
summary { cursor: pointer; font-weight: 650; font-size: 16px; margin-bottom: 8px; }
footer { border-top: 1px solid var(--line); margin-top: 48px; padding-top: 24px; padding-bottom: 48px; }
footer h2 { margin-bottom: 10px; }
footer .facts { margin: 12px 0 0; font-size: 13.5px; }

/* Fixed, so that two of them have one scale. */
.spans { font-size: 13px; table-layout: fixed; }
.spans thead th:first-child, .spans thead .waterfall { width: 38%; }
.logs { margin-top: 10px; }
.logs summary { font-size: 13px; font-weight: 400; color: var(--soft); margin-bottom: 4px; }
.spans tbody th, .spans tbody td { border: 0; padding-top: 1px; padding-bottom: 1px; }
.spans tbody th { font-weight: 400; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.spans tbody tr:hover { background: var(--band); }
.spans svg.bar { margin-top: 3px; }
.waterfall { width: 38%; }
svg.bar { width: 100%; display: block; fill: var(--p90); }
svg.bar.failed { fill: var(--fail); }
.depth1 { padding-left: 14px; }
.depth2 { padding-left: 28px; }
.depth3 { padding-left: 42px; }
.depth4 { padding-left: 56px; }
.depth5 { padding-left: 70px; }
.depth6 { padding-left: 84px; }
.depth7 { padding-left: 98px; }
.depth8 { padding-left: 112px; }

@media (max-width: 960px) {
  .numbers { grid-template-columns: repeat(3, minmax(0, 1fr)); }
}
@media (max-width: 760px) {
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 24px; }
  h1 { font-size: 24px; } h2 { font-size: 19px; }
  .plots { grid-template-columns: minmax(0, 1fr); }
  .canvas { grid-template-columns: 42px minmax(0, 1fr); }
  .canvas > svg.axis { width: 42px; }
  .numbers { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  table, tbody, tr, th, td, caption { display: block; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tbody tr { padding: 10px 0; border-bottom: 1px solid var(--line); }
  tbody th, tbody td { border: 0; padding: 2px 0; width: auto; }
  tbody td { display: grid; grid-template-columns: 104px minmax(0, 1fr); gap: 10px; }
  tbody td::before { content: attr(data-head); color: var(--soft); font-size: 12.5px; line-height: 1.7; }
  .number, td.number { text-align: left; white-space: normal; }
  td.whisker { display: block; width: auto; padding: 8px 0; }
  td.whisker::before { content: none; }
  .spans tbody tr { padding: 6px 0; }
  .spans tbody th { white-space: normal; }
  .spans tbody th span { display: inline-block; }
  .timeline tbody tr { display: grid; grid-template-columns: 68px minmax(0, 1fr); padding: 6px 0; }
  .timeline tbody th { grid-row: 1 / 3; font-weight: 400; color: var(--soft); }
  .timeline tbody td { display: block; padding: 0; width: auto; }
  .timeline tbody td::before, .timeline tbody td.kind { content: none; display: none; }
  .timeline tbody td.about { font-weight: 600; }
}
@media print {
  :root {
    --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc; --grid: #e5e5e5;
    --pass: #14713d; --fail: #b3261e; --inconclusive: #8a5300; --void: #6a3fa0;
    --pass-tint: #e3f4e9; --fail-tint: #fce8e6; --inconclusive-tint: #fdf0d9; --void-tint: #f0e8fa;
    --window: #f6dfae; --window-ink: #8a5300; --band: #eef0f3; --band2: #fbeccb;
    --p50: #6fa3e0; --p90: #2f74c8; --p99: #0b3d84; --sent: #b4bcc9;
    --b0: #0b3d84; --b1: #b04a00; --b2: #6a3fa0; --b3: #00695c; color-scheme: light;
  }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  figure, tr, .numbers, .reasons { break-inside: avoid; }
  h2, h3, figcaption, caption { break-after: avoid; }
  .experiment { break-before: page; border: 0; margin-top: 0; padding-top: 0; }
  details::details-content { content-visibility: visible; height: auto; }
}
`
