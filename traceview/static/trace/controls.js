// The controls above the waterfall: finding, pills, folding and zooming.
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
