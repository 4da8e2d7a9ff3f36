// The list. While the pointer, the focus or the scroll position is in it, rows keep their places: new ones wait.
function list() {
  const body = traces.tBodies[0], limit = Number(traces.dataset.limit);
  const sort = { duration: "us", spans: "spans", errors: "errors" }[traces.dataset.sort] || "start";
  const waiting = new Map(); // HTML of new rows by id, the oldest first
  const button = $("waiting"), pause = $("pause");
  let paused = false, pointer = false;

  const key = (row) => Number(row.dataset[sort] ?? row.querySelector("." + sort).textContent.replace(/\D/g, ""));
  const holding = () => paused || pointer || body.contains(document.activeElement) || body.rows.length > 0 && body.getBoundingClientRect().top < 0;
  function parse(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    const rows = [...box.content.children];
    for (const row of rows) {
      const link = row.querySelector("a");
      link.setAttribute("href", base + link.getAttribute("href"));
      setAge(row);
    }
    return rows;
  }
  function insert(row) {
    let before = null;
    for (const other of body.rows) {
      if (key(other) < key(row) || key(other) === key(row) && Number(other.dataset.start) <= Number(row.dataset.start)) { before = other; break; }
    }
    body.insertBefore(row, before);
  }
  function flush() {
    for (const row of body.querySelectorAll(".new, .gone")) {
      if (row.classList.contains("gone")) row.remove(); else row.classList.remove("new");
    }
    const rows = parse([...waiting.values()].join(""));
    waiting.clear();
    for (const row of rows) {
      const old = $(row.id);
      if (old) old.remove(); else row.classList.add("new");
      insert(row);
    }
    while (body.rows.length > limit) body.deleteRow(-1);
    show();
  }
  function show() {
    traces.hidden = body.rows.length === 0;
    $("empty").hidden = !traces.hidden;
    button.hidden = waiting.size === 0;
    button.textContent = waiting.size + (waiting.size >= limit ? " or more new" : " new");
  }
  // What is in flight. While rows keep their places, those that ended are only marked and new ones wait.
  let inFlight = null;
  function receiveOpen(html) {
    inFlight = html;
    if (!holding()) return flushOpen();
    const now = document.createElement("template");
    now.innerHTML = html;
    for (const row of $("open").querySelectorAll("li")) row.classList.toggle("gone", !now.content.getElementById(row.id));
  }
  function flushOpen() {
    if (inFlight === null) return;
    $("open").outerHTML = inFlight;
    inFlight = null;
    for (const link of $("open").querySelectorAll("a")) link.setAttribute("href", base + link.getAttribute("href"));
    setOpenAges();
  }
  function receive(update) {
    if (update.open) receiveOpen(update.open);
    if (update.hints !== undefined) offer(update);
    if (update.reset) {
      waiting.clear();
      body.replaceChildren();
    }
    for (const id of update.gone || []) {
      waiting.delete(id);
      const row = $("trace-" + id);
      if (row) row.classList.add("gone");
    }
    const hold = holding();
    for (const r of update.rows) {
      const old = $("trace-" + r.id);
      if (old && hold) change(old, r.html); // in its place
      else {
        waiting.delete(r.id);
        waiting.set(r.id, r.html);
      }
    }
    while (waiting.size > limit) waiting.delete(waiting.keys().next().value);
    if (hold) show(); else flush();
  }
  function change(old, html) {
    const row = parse(html)[0];
    for (const name of ["class", "data-start", "data-us"]) old.setAttribute(name, row.getAttribute(name));
    const link = old.querySelector("a"), cells = [...row.cells];
    link.replaceChildren(...cells[0].querySelector("a").childNodes); // it may have the focus
    cells[0].querySelector("a").remove();
    old.cells[0].className = cells[0].className;
    old.cells[0].replaceChildren(link, ...cells[0].childNodes);
    cells.slice(1).forEach((cell, i) => old.cells[i + 1].replaceWith(cell));
  }
  const release = () => {
    if (holding()) return;
    flushOpen();
    if (waiting.size || body.querySelector(".gone")) flush();
  };
  function setPaused(on) {
    paused = on;
    pause.textContent = on ? "Follow" : "Pause";
    pause.setAttribute("aria-pressed", String(on));
    release();
  }
  body.addEventListener("pointerenter", (e) => { pointer = e.pointerType !== "touch"; });
  body.addEventListener("pointerleave", () => { pointer = false; release(); });
  body.addEventListener("focusout", () => setTimeout(release));
  addEventListener("scroll", release, { passive: true });
  button.addEventListener("click", () => { flush(); scrollTo({ top: 0 }); });
  pause.hidden = false;
  pause.addEventListener("click", () => setPaused(!paused));
  setInterval(() => { setOpenAges(); for (const row of body.rows) setAge(row); }, 1000);
  live(traces.dataset.events, receive);
  return { togglePause: () => setPaused(!paused) };
}
function offer({ services, hints }) {
  if (services) {
    const select = $("search").elements.service, chosen = select.value;
    select.replaceChildren(select.options[0], ...services.map((name) => new Option(name)));
    select.value = chosen;
  }
  $("operations").innerHTML = hints;
}
