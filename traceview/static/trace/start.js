// The page as it is drawn first, once all of the above is declared.
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
for (const when of ["before", "after"]) addEventListener(when + "print", () => {
  printing = when === "before";
  list.dataset.cut = items.length > PRINTED ? PRINTED + " of " + items.length + " rows" : "";
  draw();
});
addEventListener("resize", () => { later(); mini(); });
if (query) search();
const first = ids("span")[0] || byID.get(location.hash.slice("#span-".length));
if (first) show(first, false);
for (const s of ids("span").slice(0, wide.matches ? 1 : 8)) detail(s);
