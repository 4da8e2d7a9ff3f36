// The state of the page, and the part of it that the address holds.
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
