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
