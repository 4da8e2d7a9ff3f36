// Drawing. Only the rows that can be seen are in the document.
const cache = new Map(); // elements by key
const at = (ns) => 100 * (ns - from) / (to - from);
function bar(line, start, dur, attributes) {
  const left = Math.max(at(start), -2), right = Math.min(at(start + dur), 102);
  if (right < -1 || left > 101) return;
  const width = right - left;
  line.append(svg("rect", { x: left.toFixed(3) + "%", width: width < 0.2 ? attributes.least || "0" : width.toFixed(3) + "%", ...attributes }));
}
function timeline(item) {
  const line = svg("svg", { class: "line", "aria-hidden": "true" });
  for (const s of item.members || [item.s]) bar(line, s.start, s.dur, { class: "b", y: 5, height: 12, rx: item.members ? 0 : 2, least: "2" });
  if (item.members) return line;
  const moved = item.s.start - item.s.reported;
  for (let i = 0; i < item.s.crit.length; i += 2) bar(line, item.s.crit[i] + moved, item.s.crit[i + 1], { class: "crit", y: 10, height: 2, least: "1" });
  for (const log of item.s.logs) {
    const x = at(log + moved);
    if (x >= 0 && x <= 100) line.append(svg("circle", { cx: x.toFixed(3) + "%", cy: 11, r: 2.5 }));
  }
  return line;
}
function badges(item) {
  const out = [], s = item.s;
  const dot = (below) => { if (below) out.push(Object.assign(el("em", "dot"), { title: count(below, "error") + " below" })); };
  if (item.group) {
    const failed = item.members.filter((m) => m.flags & FAILED).length;
    if (failed) out.push(el("em", "badge err", count(failed, "error")));
    else dot(item.members.reduce((sum, m) => sum + m.failedIn, 0));
    return out;
  }
  if (s.flags & PANICKED) out.push(el("em", "badge err", "panic"));
  else if (s.flags & FAILED) out.push(el("em", "badge err", "error"));
  else dot(s.failedIn);
  if (s.flags & SLOW) out.push(Object.assign(el("em", "badge warn", "slow"), { title: "slower than 95 of 100 spans of this operation" }));
  if (s.shift && aligned) out.push(Object.assign(el("em", "badge warn", (s.shift > 0 ? "+" : "") + duration(s.shift)), { title: "moved by so much, since the clocks disagree" }));
  else if (s.flags & SKEWED) out.push(Object.assign(el("em", "badge warn", "clock"), { title: "the clocks disagree" }));
  if (s.flags & ORPHAN) out.push(Object.assign(el("em", "badge", "no parent"), { title: "its parent is not here" }));
  return out;
}
const indentOf = (depth) => deepest <= DEEPEST || depth <= EXACT ? depth : EXACT + Math.floor((depth - EXACT) * (DEEPEST - EXACT) / (deepest - EXACT));
function rowOf(item) {
  const s = item.s, parent = spans[s.parent];
  const row = el("li", "span d" + indentOf(item.depth) + " c" + data.services[s.svc][1]);
  row.dataset.depth = item.depth;
  row.dataset.key = item.key;
  if (item.group) row.classList.add("group"); else row.id = "span-" + s.id;
  if (item.group ? item.members.some((m) => m.flags & FAILED) : s.flags & FAILED) row.classList.add("failed");
  if (parent && parent.svc === s.svc) row.classList.add("same");
  if (!item.group && hits.has(s.id) || item.group && item.members.some((m) => hits.has(m.id))) row.classList.add("hit");
  if (!item.group && open.has(s)) row.classList.add("open");
  const below = item.group ? item.members.length : s.below;
  if (below) {
    const short = below < 1000 ? below : Math.round(below / 1000) + "k", fold = el("a", "fold", short);
    fold.setAttribute("role", "button");
    fold.setAttribute("aria-expanded", String(item.group ? openGroups.has(item.group) : !folded.has(s)));
    fold.setAttribute("aria-label", short + (item.group ? " equal" : "") + (below === 1 ? " span" : " spans") + (item.group ? "" : " below"));
    row.append(fold);
  }
  const link = el("a", "name");
  link.href = item.group ? "#" : "?span=" + s.id + "#span-" + s.id;
  link.append(el("span", "svc", service(s)), " ", el("span", "op", name(s)));
  if (item.group) link.append(el("b", "repeat", " ×" + item.members.length.toLocaleString("en")));
  for (const badge of badges(item)) link.append(" ", badge);
  link.tabIndex = items[current] === item || current < 0 && items[0] === item ? 0 : -1;
  row.append(link, timeline(item), el("span", "took", duration(item.group ? extent(item.members) : s.dur)));
  return row;
}
const extent = (members) => Math.max(...members.map((m) => m.start + m.dur)) - Math.min(...members.map((m) => m.start));

let queued = false, printing = false;
function draw() {
  queued = false;
  const top = -list.getBoundingClientRect().top, first = printing ? 0 : indexAt(top - MARGIN), last = Math.min(printing ? PRINTED - 1 : indexAt(top + innerHeight + MARGIN), items.length - 1);
  const focused = document.activeElement.closest && document.activeElement.closest("#spans > .span");
  const focusKey = focused && focused.dataset.key;
  const wanted = new Set();
  let place = list.firstChild;
  const put = (e) => {
    wanted.add(e);
    if (e === place) place = place.nextSibling; else list.insertBefore(e, place);
  };
  for (let i = Math.max(first, 0); i <= last; i++) {
    const item = items[i];
    let row = cache.get(item.key);
    if (!row) cache.set(item.key, row = rowOf(item));
    put(row);
    const detail = !item.group && open.get(item.s);
    if (detail && !pane.contains(detail)) put(detail);
  }
  for (const e of [...list.children]) if (!wanted.has(e)) {
    e.lastHeight = e.offsetHeight;
    e.remove();
  }
  for (const [key, row] of cache) if (!wanted.has(row)) cache.delete(key);
  list.style.paddingTop = tops[Math.max(first, 0)] + "px";
  list.style.paddingBottom = (printing ? 0 : tops[items.length] - tops[last + 1]) + "px";
  if (focusKey && document.activeElement === document.body && cache.has(focusKey)) cache.get(focusKey).querySelector(".name").focus({ preventScroll: true });
}
function indexAt(y) {
  let a = 0, b = items.length - 1;
  while (a < b) {
    const m = (a + b + 1) >> 1;
    if (tops[m] <= y) a = m; else b = m - 1;
  }
  return a;
}
const later = () => { if (!queued) { queued = true; requestAnimationFrame(draw); } };
function redraw() {
  const focused = document.activeElement.closest && document.activeElement.closest("#spans > .span"), key = focused && focused.dataset.key;
  cache.clear();
  list.replaceChildren();
  measure();
  draw();
  measure();
  if (key && cache.has(key)) cache.get(key).querySelector(".name").focus({ preventScroll: true });
  mini();
}
function rebuild() {
  const item = items[current];
  build();
  current = item ? items.findIndex((other) => other.key === item.key) : -1;
  redraw();
}
