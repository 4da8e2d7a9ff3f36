// The keyboard: j and k move, enter opens (links do that by themselves), escape goes back. A trace has more keys.
const links = () => [...document.querySelectorAll("#traces .trace a, #operations .name a")];
function move(step) {
  const all = links();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  next.focus({ preventScroll: true });
  (next.closest(".trace") || next).scrollIntoView({ block: "nearest" });
}
function back() {
  if (!$("waterfall")) return document.activeElement.blur();
  const from = document.referrer && new URL(document.referrer);
  if (from && from.origin === location.origin && history.length > 1) history.back();
  else location.href = base;
}
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
  const typing = e.target.closest("input, select, textarea, dialog");
  if (typing) {
    if (e.key === "Escape" && typing.tagName !== "DIALOG") typing.blur();
    return;
  }
  if (window.spanloom.key && window.spanloom.key(e)) return e.preventDefault();
  if (e.key === "j") move(1);
  else if (e.key === "k") move(-1);
  else if (e.key === "Escape") back();
  else if (e.key === "/") search.elements.q.select();
  else if (e.key === "?") $("help").showModal();
  else if (e.key === "p" && shown) shown.togglePause();
  else return;
  e.preventDefault();
});
