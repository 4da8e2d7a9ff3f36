// Searching, and coming back to the list.
let shown = null;
const search = $("search");
search.addEventListener("submit", () => {
  for (const f of search.elements) if (f.name && !f.value) f.disabled = true; // short addresses
});
addEventListener("pageshow", () => { for (const f of search.elements) f.disabled = false; });
if (traces) {
  try { sessionStorage.setItem("spanloom.list", location.search); } catch { /* nothing may be kept here */ } // for the list beside a trace
  shown = list();
  traces.addEventListener("focusin", (e) => { // for whoever comes back from the trace
    const row = e.target.closest(".trace");
    if (row) history.replaceState({ row: row.id }, "");
  });
  const left = history.state && $(history.state.row);
  if (left) left.querySelector("a").focus();
  for (const name of ["service", "errors", "sort"]) search.elements[name].addEventListener("change", () => search.requestSubmit());
}
