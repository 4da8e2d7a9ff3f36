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
