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
