// Moving from row to row.
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
