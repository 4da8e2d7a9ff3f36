// Live updates of the list, searching, files and the keyboard. Every page also works without this file.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const base = document.body.dataset.base;
  const traces = $("traces");

  function say(on) {
    const indicator = $("live");
    if (!indicator) return;
    indicator.textContent = on ? "live" : "not live";
    indicator.classList.toggle("on", !!on);
  }
  // Live updates. A hidden page gives its connection back, since browsers have only six for each host.
  function live(url, receive) {
    let source = null, last = null;
    const open = () => {
      if (source || document.hidden) return;
      const u = new URL(url, location.href);
      if (last) u.searchParams.set("since", last);
      source = new EventSource(u);
      source.onopen = () => say(true);
      source.onerror = () => say(false);
      source.addEventListener("traces", (e) => {
        last = e.lastEventId;
        const update = JSON.parse(e.data);
        $("kept-text").outerHTML = update.kept;
        if ($("matched")) $("matched").outerHTML = update.matched;
        receive(update);
      });
    };
    const close = () => { if (source) source.close(); source = null; };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  }
  window.spanloom = { live };

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
  function setAge(row) {
    const cell = row.querySelector(".age"), text = age(Date.now() / 1000 - row.dataset.start / 1e6);
    if (cell.textContent !== text) cell.textContent = text;
  }
  function age(s) {
    if (s < 1) return "now";
    if (s < 60) return Math.floor(s) + " s ago";
    if (s < 3600) return Math.floor(s / 60) + " min ago";
    if (s < 172800) return Math.floor(s / 3600) + " h ago";
    return Math.floor(s / 86400) + " d ago";
  }
  function setOpenAges() {
    for (const e of $("open").querySelectorAll("li:not(.gone) [data-open]")) {
      const s = Math.max(Date.now() / 1000 - e.dataset.open / 1e6, 0), two = (n) => String(Math.floor(n)).padStart(2, "0");
      e.textContent = s < 1 ? s.toFixed(1) + " s" : s < 60 ? Math.floor(s) + " s" : s < 3600 ? Math.floor(s / 60) + " m " + two(s % 60) + " s" : Math.floor(s / 3600) + " h " + two(s % 3600 / 60) + " m";
    }
  }
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

  // Pages of figures fetch themselves anew. A part under the pointer or with the focus waits until it is left.
  async function refresh() {
    let answer = {};
    try {
      answer = document.hidden ? { ok: true } : await fetch(location.href);
      const page = answer.text && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
      if (page) for (const old of document.querySelectorAll("[data-live]")) {
        const now = page.getElementById(old.id);
        if (now && !old.matches(":hover, :focus-within") && old.innerHTML !== now.innerHTML) old.replaceWith(now);
      }
    } catch {}
    say(answer.ok);
    setTimeout(refresh, 3000);
  }
  if (document.querySelector("[data-live]")) setTimeout(refresh, 3000), say(true);

  // A file of Jaeger or OTLP JSON that is dropped on a page opens.
  function message(text) {
    const p = document.createElement("p");
    p.className = "problem";
    p.setAttribute("role", "alert");
    p.textContent = text;
    $("main").prepend(p);
  }
  addEventListener("dragover", (e) => { if ([...e.dataTransfer.types].includes("Files")) e.preventDefault(); });
  addEventListener("drop", async (e) => {
    const file = e.dataTransfer.files[0];
    if (!file) return;
    e.preventDefault();
    const answer = await fetch(base + "import", { method: "POST", headers: { "Content-Type": "application/json" }, body: file });
    if (answer.ok) location.href = base + "trace/" + (await answer.json()).trace;
    else message(file.name + ": " + (await answer.text()));
  });

  // Copying. Pages without scripts have no such buttons.
  document.documentElement.classList.add("script");
  document.addEventListener("click", async (e) => {
    const button = e.target.closest(".copy");
    if (!button || !navigator.clipboard) return;
    let text = button.dataset.copy;
    if (button.dataset.link) text = location.href.split(/[?#]/)[0] + "?span=" + button.dataset.link + "#span-" + button.dataset.link;
    else if (text === undefined) text = button.parentElement.querySelector(".v, pre").textContent;
    await navigator.clipboard.writeText(text);
    const was = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = was; }, 1500);
  });

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
})();
