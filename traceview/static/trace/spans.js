// The spans of the trace, from the data that the page holds.
const $ = (id) => document.getElementById(id);
const section = $("waterfall"), list = $("spans"), pane = $("pane"), data = JSON.parse($("data").textContent);
const base = document.body.dataset.base, trace = section.dataset.trace;
const FAILED = 1, PANICKED = 2, ORPHAN = 4, SKEWED = 8, SLOW = 16;
const ROW = 24, MARGIN = 480, GROUP = 5, DEEPEST = 24, EXACT = 12, PRINTED = 400;

const spans = data.rows.map(([id, up, svc, name, start, dur, flags, crit, logs, shift], i) => (
  { i, key: "s" + i, id, parent: up ? i - up : -1, svc, name, reported: start, start, dur, flags, crit: crit || [], logs: logs || [], shift: shift || 0, children: [], depth: 0, below: 0, failedIn: 0 }));
let deepest = 0;
for (const s of spans) {
  if (s.parent < 0) continue;
  const p = spans[s.parent];
  s.depth = p.depth + 1;
  deepest = Math.max(deepest, s.depth);
  p.children.push(s);
}
for (let i = spans.length - 1; i > 0; i--) {
  const s = spans[i], p = spans[s.parent];
  if (!p) continue;
  p.below += s.below + 1;
  p.failedIn += s.failedIn + (s.flags & FAILED);
}
const byID = new Map();
for (const s of spans) if (!byID.has(s.id)) byID.set(s.id, s);
const skewed = spans.some((s) => s.shift), name = (s) => data.names[s.name] || "(no name)", service = (s) => data.services[s.svc][0];
