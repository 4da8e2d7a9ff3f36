// One trace: only the visible rows are in the document, drawn from the data that the page holds.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const section = $("waterfall"), list = $("spans"), pane = $("pane"), data = JSON.parse($("data").textContent);
  const base = document.body.dataset.base, trace = section.dataset.trace;
  const FAILED = 1, PANICKED = 2, ORPHAN = 4, SKEWED = 8, SLOW = 16;
  const ROW = 24, MARGIN = 480, GROUP = 5, DEEPEST = 24;

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

  // What the address holds.
  const params = new URLSearchParams(location.search);
  const ids = (key) => params.getAll(key).map((id) => byID.get(id)).filter(Boolean);
  const folded = new Set(ids("fold")), open = new Map(), openGroups = new Set();
  let grouping = params.get("group") !== "0", aligned = params.get("raw") !== "1";
  const only = new Set((params.get("only") || "").split(",").filter(Boolean));
  let low = 0, high = 1, from = 0, to = 1; // the trace, and what is seen of it
  let items = [], tops = [], hits = new Set(), query = params.get("find") || "", current = -1;

  function remember(changes) {
    const u = new URL(location.href);
    for (const [key, value] of Object.entries(changes)) {
      u.searchParams.delete(key);
      for (const v of [].concat(value)) if (v) u.searchParams.append(key, v);
    }
    history.replaceState(history.state, "", u);
  }
  const count = (n, word) => n.toLocaleString("en") + " " + word + (n === 1 ? "" : "s");
  function digits(f) {
    const s = f.toFixed(f >= 99.95 ? 0 : f >= 9.995 ? 1 : 2);
    return s.includes(".") ? s.replace(/\.?0+$/, "") : s;
  }
  function duration(ns) { // as the server writes it
    if (ns < 0) return "-" + duration(-ns);
    if (ns === 0) return "0";
    if (ns < 1e3) return Math.round(ns) + " ns";
    if (ns < 999500) return digits(ns / 1e3) + " µs";
    if (ns < 999.5e6) return digits(ns / 1e6) + " ms";
    if (ns < 60e9) return digits(ns / 1e9) + " s";
    const s = Math.floor(ns / 1e9), two = (n) => String(n).padStart(2, "0");
    return s < 3600 ? Math.floor(s / 60) + " m " + two(s % 60) + " s" : Math.floor(s / 3600) + " h " + two(Math.floor(s / 60) % 60) + " m";
  }
  function el(tag, className, text) {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  }
  function svg(tag, attributes) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    return e;
  }

  // Which rows there are: spans below folded ones are left out, five or more equal siblings are one row.
  function groupsOf(children) {
    const groups = new Map();
    for (const s of children) {
      const key = s.svc + " " + s.name;
      if (groups.has(key)) groups.get(key).push(s); else groups.set(key, [s]);
    }
    return groups;
  }
  function rowsBelow(children, depth) {
    if (!grouping || only.size || children.length < GROUP) return children.map((s) => ({ s, depth }));
    const groups = groupsOf(children), out = [];
    for (const s of children) {
      const members = groups.get(s.svc + " " + s.name);
      if (members.length < GROUP) out.push({ s, depth });
      else if (members[0] === s) out.push({ group: "g" + s.i, members, depth, s });
    }
    return out;
  }
  function kept() {
    if (!only.size) return null;
    const keep = new Set();
    for (const s of spans) {
      const wanted = only.has("errors") && s.flags & FAILED || only.has("slow") && s.flags & SLOW || only.has("critical") && s.crit.length || only.has("hits") && hits.has(s.id);
      for (let a = wanted ? s : null; a && !keep.has(a); a = spans[a.parent]) keep.add(a);
    }
    return keep;
  }
  function build() {
    const keep = kept(), stack = rowsBelow(spans.filter((s) => s.parent < 0), 0).reverse();
    items = [];
    while (stack.length) {
      const item = stack.pop();
      if (keep && !keep.has(item.s)) continue;
      items.push(item);
      item.key = item.group || item.s.key;
      let below = [];
      if (item.group) {
        if (openGroups.has(item.group)) below = item.members.map((s) => ({ s, depth: item.depth + 1 }));
      } else if (!folded.has(item.s)) below = rowsBelow(item.s.children, item.depth + 1);
      for (let i = below.length - 1; i >= 0; i--) stack.push(below[i]);
    }
    measure();
  }
  function measure() {
    tops = new Float64Array(items.length + 1);
    items.forEach((item, i) => {
      const detail = !item.group && open.get(item.s);
      tops[i + 1] = tops[i] + ROW + (detail && !pane.contains(detail) ? detail.offsetHeight || detail.lastHeight || 320 : 0);
    });
  }

  // Drawing.
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
    if (item.group) {
      const failed = item.members.filter((m) => m.flags & FAILED).length;
      if (failed) out.push(el("em", "badge err", count(failed, "error")));
      return out;
    }
    if (s.flags & PANICKED) out.push(el("em", "badge err", "panic"));
    else if (s.flags & FAILED) out.push(el("em", "badge err", "error"));
    else if (s.failedIn) out.push(Object.assign(el("em", "dot"), { title: count(s.failedIn, "error") + " below" }));
    if (s.flags & SLOW) out.push(Object.assign(el("em", "badge warn", "slow"), { title: "slower than 95 of 100 spans of this operation" }));
    if (s.shift && aligned) out.push(Object.assign(el("em", "badge warn", (s.shift > 0 ? "+" : "") + duration(s.shift)), { title: "moved by so much, since the clocks disagree" }));
    else if (s.flags & SKEWED) out.push(Object.assign(el("em", "badge warn", "clock"), { title: "the clocks disagree" }));
    if (s.flags & ORPHAN) out.push(Object.assign(el("em", "badge", "no parent"), { title: "its parent is not here" }));
    return out;
  }
  function rowOf(item) {
    const s = item.s, parent = spans[s.parent];
    const row = el("li", "span d" + (deepest > DEEPEST ? Math.floor(item.depth * DEEPEST / deepest) : item.depth) + " c" + data.services[s.svc][1]);
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

  let queued = false;
  function draw() {
    queued = false;
    const top = -list.getBoundingClientRect().top, first = indexAt(top - MARGIN), last = Math.min(indexAt(top + innerHeight + MARGIN), items.length - 1);
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
    list.style.paddingBottom = tops[items.length] - tops[last + 1] + "px";
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

  // The trace as a whole: what is seen of it, and a small picture.
  const map = $("minimap"), canvas = map.querySelector("canvas"), brush = map.querySelector(".brush"), ticks = section.querySelectorAll(".ticks i");
  function extentAll() {
    low = Infinity; high = -Infinity;
    for (const s of spans) {
      s.start = s.reported + (aligned ? s.shift : 0);
      low = Math.min(low, s.start);
      high = Math.max(high, s.start + s.dur);
    }
    if (!(high > low)) high = low + 1;
    if (skewed) document.querySelector(".facts .big").textContent = duration(high - low);
  }
  function zoom(a, b, keep) {
    const least = Math.max((high - low) / 1e6, 1);
    if (b - a < least) [a, b] = [(a + b - least) / 2, (a + b + least) / 2];
    if (b - a > high - low) [a, b] = [low, high];
    if (a < low) [a, b] = [low, low + b - a];
    if (b > high) [a, b] = [high - (b - a), high];
    [from, to] = [a, b];
    const whole = a === low && b === high;
    ticks.forEach((tick, i) => { const t = from - low + (to - from) * i / 4; tick.textContent = t === 0 ? "0" : duration(t); });
    if (!keep) remember({ range: whole ? "" : Math.round(a / 1e3) + "-" + Math.round(b / 1e3) });
    section.classList.toggle("zoomed", !whole);
    if (reset) reset.disabled = whole;
    redraw();
  }
  function mini() {
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = devicePixelRatio || 1;
    brush.style.left = 100 * (from - low) / (high - low) + "%";
    brush.style.width = 100 * (to - from) / (high - low) + "%";
    const state = [width, ratio, aligned, hits.size, query, only.size].join();
    if (!width || canvas.dataset.state === state) return;
    canvas.dataset.state = state;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const g = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const colors = data.services.map(([, c]) => style.getPropertyValue("--c" + c)), err = style.getPropertyValue("--err"), accent = style.getPropertyValue("--accent");
    g.scale(ratio, ratio);
    const step = height / spans.length, thick = Math.max(Math.min(step, 3), 1);
    spans.forEach((s, i) => {
      g.fillStyle = hits.has(s.id) ? accent : s.flags & FAILED ? err : colors[s.svc];
      g.fillRect(width * (s.start - low) / (high - low), i * step, Math.max(width * s.dur / (high - low), 1), hits.has(s.id) ? thick + 1 : thick);
    });
  }
  function dragRange(area, mark) {
    area.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      const box = area.getBoundingClientRect(), a = area === map ? low : from, b = area === map ? high : to;
      const time = (e) => a + (b - a) * Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1), start = time(down);
      area.setPointerCapture(down.pointerId);
      const range = (e) => [Math.min(start, time(e)), Math.max(start, time(e))];
      const move = (e) => {
        const [x, y] = range(e);
        mark.style.left = 100 * (x - low) / (high - low) + "%";
        mark.style.width = 100 * (y - x) / (high - low) + "%";
      };
      const up = (e) => {
        area.removeEventListener("pointermove", move);
        const [x, y] = range(e);
        if ((y - x) / (b - a) > 0.005) zoom(x, y); else zoom(from, to, true);
      };
      area.addEventListener("pointermove", move);
      area.addEventListener("pointerup", up, { once: true });
    });
    area.addEventListener("dblclick", () => zoom(low, high));
  }

  // Moving.
  function select(i, focus = true) {
    if (!items.length) return;
    const before = items[current] && cache.get(items[current].key);
    current = Math.min(Math.max(i, 0), items.length - 1);
    if (before) before.querySelector(".name").tabIndex = -1;
    const y = list.getBoundingClientRect().top + tops[current], head = section.querySelector(".head-of-rows").getBoundingClientRect().height;
    if (y < head + 4) scrollBy(0, y - head - 4);
    else if (y + ROW > innerHeight - 12) scrollBy(0, y + ROW - innerHeight + 12);
    draw();
    const row = cache.get(items[current].key), link = row && row.querySelector(".name");
    if (!link) return;
    link.tabIndex = 0;
    if (focus) link.focus({ preventScroll: true });
  }
  function show(s, focus) { // whatever hides it
    if (only.size && !kept().has(s)) { only.clear(); pills(); remember({ only: "" }); }
    for (let a = spans[s.parent]; a; a = spans[a.parent]) folded.delete(a);
    build();
    for (let a = s; a; a = spans[a.parent]) {
      const group = items.find((item) => item.group && item.members.includes(a));
      if (group) openGroups.add(group.group);
    }
    rebuild();
    select(items.findIndex((item) => !item.group && item.s === s), focus);
  }
  function step(matches, direction) {
    const found = spans.filter(matches);
    if (!found.length) return;
    const item = items[current], here = item ? item.s.i + (item.group ? -0.5 : 0) : -1;
    const next = direction > 0 ? found.find((s) => s.i > here) || found[0] : found.filter((s) => s.i < here).pop() || found[found.length - 1];
    show(next, document.activeElement !== find);
    say(found.indexOf(next) + 1 + " of " + found.length.toLocaleString("en"));
  }

  // Folding.
  const rememberFolds = () => remember({ fold: [...folded].map((s) => s.id) });
  function fold(item, closed) {
    if (item.group) { if (closed) openGroups.delete(item.group); else openGroups.add(item.group); }
    else if (!item.s.children.length) return;
    else if (closed) folded.add(item.s); else folded.delete(item.s);
    rememberFolds();
    rebuild();
  }
  function foldAll() {
    for (const s of spans) if (s.children.length) folded.add(s);
    openGroups.clear();
    rememberFolds();
    rebuild();
  }
  function unfoldAll() {
    folded.clear();
    rememberFolds();
    rebuild();
  }
  function unfoldLevel() {
    const closed = spans.filter((s) => folded.has(s)), depth = Math.min(...closed.map((s) => s.depth));
    for (const s of closed) if (s.depth === depth) folded.delete(s);
    rememberFolds();
    rebuild();
  }

  // Details: in the pane beside a wide waterfall, else below the row.
  const wide = matchMedia("(min-width: 1100px)");
  async function detail(s) {
    if (open.has(s)) return close(s);
    const answer = await fetch(base + "trace/" + trace + "/span/" + s.id).catch(() => null);
    const box = document.createElement("template");
    box.innerHTML = answer && answer.ok ? await answer.text()
      : '<li class="detail" id="detail-' + s.id + '"><p class="problem">The program keeps this trace no longer, or does not answer. What this page shows stays.</p></li>';
    if (open.has(s)) return;
    if (wide.matches) for (const other of [...open.keys()]) close(other, true);
    const panel = box.content.firstElementChild;
    for (const cell of panel.querySelectorAll(".tags td")) {
      const button = el("button", "copy", "Copy");
      button.type = "button";
      cell.append(button);
    }
    open.set(s, panel);
    if (wide.matches) {
      const holder = el("ol", "spans");
      holder.append(panel);
      pane.replaceChildren(holder);
      pane.hidden = false;
      section.parentElement.classList.add("split");
      pane.scrollTop = 0;
    }
    remember({ span: [...open.keys()].map((o) => o.id) });
    redraw();
  }
  function close(s, silent) {
    open.get(s).remove();
    open.delete(s);
    if (!pane.querySelector(".detail")) {
      pane.hidden = true;
      section.parentElement.classList.remove("split");
    }
    if (silent) return;
    remember({ span: [...open.keys()].map((o) => o.id) });
    redraw();
  }

  // The controls.
  const controls = $("controls");
  const say = (text) => { status.textContent = text; };
  function button(text, title, act, className = "quiet") {
    const b = el("button", className, text);
    b.type = "button";
    if (title) b.title = title;
    b.addEventListener("click", act);
    return b;
  }
  const find = el("input"), status = el("span", "hits"), pillBox = el("span", "pills");
  find.type = "search";
  find.placeholder = "Find in this trace";
  find.setAttribute("aria-label", "Find spans by words, status>=500, dur>20ms, key=value");
  find.value = query;
  status.setAttribute("role", "status");
  let typing = 0;
  async function search() {
    const asked = find.value.trim();
    query = asked;
    remember({ find: asked });
    if (!asked) { hits = new Set(); say(""); return redraw(); }
    const answer = await fetch(base + "trace/" + trace + "/find?q=" + encodeURIComponent(asked)).catch(() => null);
    if (asked !== query) return;
    if (answer && answer.ok) {
      const found = await answer.json();
      hits = new Set(found.ids);
      say(found.problems ? found.problems.join(" ") : hits.size.toLocaleString("en") + (hits.size === 1 ? " hit" : " hits"));
    } else { // the program is gone: by names alone
      const word = asked.toLowerCase();
      hits = new Set(spans.filter((s) => (service(s) + " " + name(s)).toLowerCase().includes(word)).map((s) => s.id));
      say(hits.size + " hits in names");
    }
    redraw();
  }
  find.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 150); });
  find.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    e.preventDefault();
    clearTimeout(typing);
    (find.value.trim() === query ? Promise.resolve() : search()).then(() => step((s) => hits.has(s.id), e.shiftKey ? -1 : 1));
  });
  function toggle(text, on, title, act) {
    const b = button(text, title, () => act());
    b.setAttribute("aria-pressed", String(on));
    return b;
  }
  function pills() {
    const n = (test) => spans.reduce((sum, s) => sum + (test(s) ? 1 : 0), 0);
    const entries = [["errors", "errors", n((s) => s.flags & FAILED)], ["slow", "slow", n((s) => s.flags & SLOW)], ["critical", "critical path", n((s) => s.crit.length)]];
    pillBox.replaceChildren(...entries.filter(([key, , k]) => k || only.has(key)).map(([key, label, k]) => toggle(label + " " + k.toLocaleString("en"), only.has(key), "Only these spans and what leads to them", () => {
      if (only.has(key)) only.delete(key); else only.add(key);
      remember({ only: [...only].join(",") });
      pills();
      rebuild();
    })));
    if (skewed) pillBox.append(toggle("align clocks", aligned, "Move spans of clocks that disagree into the time of their parents", () => {
      aligned = !aligned;
      remember({ raw: aligned ? "" : "1" });
      extentAll();
      zoom(low, high);
      pills();
    }));
    if (hasGroups) pillBox.append(toggle("group equal", grouping, "Five or more equal calls of one parent are one row", () => {
      grouping = !grouping;
      remember({ group: grouping ? "" : "0" });
      pills();
      rebuild();
    }));
  }
  const hasGroups = spans.some((s) => s.children.length >= GROUP && [...groupsOf(s.children).values()].some((g) => g.length >= GROUP));
  const reset = button("whole trace", "Zoom out (0)", () => zoom(low, high));
  controls.append(find, button("‹", "Previous hit (N)", () => step((s) => hits.has(s.id), -1)), button("›", "Next hit (n)", () => step((s) => hits.has(s.id), 1)), status, pillBox);
  const right = el("span", "right");
  right.append(button("fold", "Fold all ([)", foldAll), button("unfold", "Unfold all (])", unfoldAll), button("−", "Zoom out (-)", () => scaleBy(2)), button("+", "Zoom in (+)", () => scaleBy(0.5)), reset);
  controls.append(right);
  function scaleBy(factor) {
    const item = items[current], middle = item && item.s.start >= from && item.s.start <= to ? item.s.start + item.s.dur / 2 : (from + to) / 2;
    zoom(middle - (to - from) * factor / 2, middle + (to - from) * factor / 2);
  }
  function pan(part) {
    const by = (to - from) * part;
    zoom(from + by, to + by);
  }

  // The width of the names.
  const ruler = section.querySelector(".ruler"), head = el("div", "head-of-rows"), grip = el("span", "grip");
  section.insertBefore(head, map);
  head.append(map, ruler);
  grip.tabIndex = 0;
  for (const [k, v] of Object.entries({ role: "separator", "aria-orientation": "vertical", "aria-label": "Width of the names" })) grip.setAttribute(k, v);
  ruler.querySelector(".corner").append(grip);
  ruler.removeAttribute("aria-hidden");
  ruler.querySelector(".ticks").setAttribute("aria-hidden", "true");
  function nameWidth(percent, keep) {
    const value = Math.min(Math.max(percent, 12), 75);
    section.style.setProperty("--name", value + "%");
    grip.setAttribute("aria-valuenow", Math.round(value));
    if (keep) try { localStorage.setItem("spanloom.names", value); } catch { /* it is not allowed to keep anything */ }
    delete canvas.dataset.state;
    mini();
  }
  grip.addEventListener("pointerdown", (down) => {
    grip.setPointerCapture(down.pointerId);
    const box = section.getBoundingClientRect(), move = (e) => nameWidth(100 * (e.clientX - box.left) / box.width, true);
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", () => grip.removeEventListener("pointermove", move), { once: true });
  });
  grip.addEventListener("keydown", (e) => {
    const by = { ArrowLeft: -2, ArrowRight: 2 }[e.key];
    if (!by) return;
    e.preventDefault();
    nameWidth(Number(grip.getAttribute("aria-valuenow")) + by, true);
  });

  // Pinning, without leaving what is shown.
  const pin = $("pin");
  pin.addEventListener("submit", async (e) => {
    e.preventDefault();
    const b = pin.querySelector("button");
    const answer = await fetch(pin.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ pinned: b.value }) }).catch(() => null);
    if (!answer || !answer.ok) return note(answer ? await answer.text() : "The program does not answer.");
    b.textContent = b.value ? "Unpin" : "Pin";
    b.value = b.value ? "" : "1";
  });
  function note(text) {
    $("late").textContent = text;
    $("late").hidden = false;
  }

  // Clicks and keys.
  const itemOf = (row) => items.findIndex((item) => item.key === row.dataset.key);
  list.addEventListener("click", (e) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
    const row = e.target.closest("#spans > .span");
    if (!row) return;
    e.preventDefault();
    const i = itemOf(row), item = items[i];
    current = i;
    if (item.group) return fold(item, openGroups.has(item.group));
    if (e.target.closest(".fold")) return fold(item, !folded.has(item.s));
    row.querySelector(".name").focus({ preventScroll: true });
    detail(item.s);
  });
  list.addEventListener("focusin", (e) => {
    const row = e.target.closest("#spans > .span");
    if (row) current = itemOf(row);
  });
  document.addEventListener("click", (e) => { // links to other spans of this trace
    const link = e.target.closest('a[href^="#span-"]'), s = link && byID.get(link.getAttribute("href").slice("#span-".length));
    if (!s) return;
    e.preventDefault();
    show(s, true);
  });
  window.spanloom.key = (e) => {
    const item = items[current], down = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[e.key];
    const inRows = document.activeElement.closest && document.activeElement.closest("#spans");
    if (down && (e.key.length === 1 || inRows)) { select(current < 0 ? (down > 0 ? 0 : items.length - 1) : current + down); return true; }
    if (e.shiftKey && (e.key === "ArrowLeft" || e.key === "ArrowRight")) { pan(e.key === "ArrowLeft" ? -0.25 : 0.25); return true; }
    switch (e.key) {
      case "h": case "ArrowLeft": if (!inRows || !item) return false; fold(item, true); return true;
      case "l": case "ArrowRight": if (!inRows || !item) return false; fold(item, false); return true;
      case "f": find.select(); return true;
      case "n": step((s) => hits.has(s.id), 1); return true;
      case "N": step((s) => hits.has(s.id), -1); return true;
      case "e": step((s) => s.flags & FAILED, 1); return true;
      case "E": step((s) => s.flags & FAILED, -1); return true;
      case "[": foldAll(); return true;
      case "]": unfoldAll(); return true;
      case "o": unfoldLevel(); return true;
      case "+": case "=": scaleBy(0.5); return true;
      case "-": scaleBy(2); return true;
      case "0": zoom(low, high); return true;
      case "P": pin.requestSubmit(); return true;
      case "Escape":
        if (!open.size) return false;
        close(item && open.has(item.s) ? item.s : [...open.keys()].pop());
        return true;
    }
    return false;
  };
  window.spanloom.live(section.dataset.events, ({ rows, gone, reset }) => {
    const note = $("late");
    const mine = rows.find((r) => r.id === trace);
    if (mine && mine.spans > spans.length) {
      const again = el("a", "", "Show them");
      again.href = location.href;
      again.addEventListener("click", () => location.reload());
      note.replaceChildren("More spans have come: " + mine.spans + " now. ", again);
      note.hidden = false;
    } else if (!mine && (reset || (gone || []).includes(trace))) {
      note.textContent = "The program keeps this trace no longer. This page stays as it is.";
      note.hidden = false;
    } else if (mine && reset) note.hidden = true;
  });

  // Start.
  const id = $("trace-id"), copy = el("button", "copy", "Copy");
  copy.type = "button";
  copy.dataset.copy = id.textContent;
  id.after(copy);
  map.hidden = false;
  controls.hidden = false;
  dragRange(map, brush);
  dragRange(ruler.querySelector(".ticks"), brush);
  grip.setAttribute("aria-valuenow", Number.parseInt(getComputedStyle(section).getPropertyValue("--name"), 10)); // by the style sheet
  try {
    const width = Number(localStorage.getItem("spanloom.names"));
    if (width) nameWidth(width);
  } catch { /* nothing was kept */ }
  extentAll();
  pills();
  build();
  const range = /^(-?\d+)-(-?\d+)$/.exec(params.get("range") || "");
  zoom(range ? range[1] * 1e3 : low, range ? range[2] * 1e3 : high, true);
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", () => { later(); mini(); });
  if (query) search();
  const first = ids("span")[0] || byID.get(location.hash.slice("#span-".length));
  if (first) show(first, false);
  for (const s of ids("span").slice(0, wide.matches ? 1 : 8)) detail(s);
})();
