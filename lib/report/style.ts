// SPDX-License-Identifier: Apache-2.0
// What a report looks like: light and dark as the reader's system is, and down to the width of a telephone.
import { Html } from './html.js';

/** The style sheet; `--blue` and `--orange` are the colours of curves. */
export const STYLE = new Html(`
:root { color-scheme: light dark; --paper: #fff; --ink: #1f2328; --quiet: #59636e; --line: #d8dee4; --card: #f6f8fa;
  --blue: #0072b2; --orange: #c4570b; --good: #117a4f; --bad: #b3261e; --heat: 0, 114, 178; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e3e8ee; --quiet: #98a2ae; --line: #343b44;
  --card: #1d2126; --blue: #58b4ec; --orange: #f0883e; --good: #4cc38a; --bad: #ff8a80; --heat: 36, 122, 190; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 68rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .75rem; }
p { margin: .25rem 0 .75rem; } .quiet { color: var(--quiet); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.2rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .65rem .8rem; min-width: 0; }
.facts dt { color: var(--quiet); font-size: .8rem; } .facts dd { margin: 0; font-size: 1.25rem; font-weight: 600;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
.curves svg { width: 100%; height: auto; display: block; }
.scroll { overflow-x: auto; max-width: 100%; } .tall { max-height: 36rem; overflow-y: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--quiet); } tbody th { color: var(--ink); font-weight: 500; }
.number { text-align: right; } .wrap { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
tr.total th, tr.total td { font-weight: 600; color: var(--ink); border-top: 2px solid var(--line); border-bottom: 0; }
.scroll + p { margin-top: .9rem; }
.confusion th, .confusion td { border: 0; padding: .2rem .4rem; } .confusion td { text-align: center; min-width: 2.3rem; height: 2.1rem;
  border: 1px solid var(--paper); background: rgba(var(--heat), var(--share)); }
.confusion .zero { background: var(--card); color: transparent; } .confusion .deep { color: #fff; }
.confusion tbody th { text-align: right; max-width: 12rem; overflow: hidden; text-overflow: ellipsis; }
.confusion thead .name { vertical-align: bottom; text-align: center; }
.confusion .turned { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; max-height: 10rem; overflow: hidden;
  text-overflow: ellipsis; display: inline-block; }
.confusion.many td { min-width: .5rem; width: .5rem; height: .5rem; padding: 0; font-size: 0; border-width: 0; }
.confusion.many th { padding: 0 .3rem; font-size: .6rem; line-height: 1; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .9rem; margin: 0; padding: 0; list-style: none; }
.pictures li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem; font-size: .82rem; min-width: 0; }
.pictures img { width: 100%; height: 7.3rem; object-fit: contain; image-rendering: pixelated; display: block; margin: 0 0 .45rem; }
.pictures span { display: flex; gap: .5rem; justify-content: space-between; white-space: nowrap; } .pictures b { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pictures i { font-style: normal; }
.pictures .loss { color: var(--quiet); white-space: nowrap; } .good { color: var(--good); } .bad { color: var(--bad); }
@media print { body { max-width: none; } .tall { max-height: none; } }
`);
