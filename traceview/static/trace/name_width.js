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
