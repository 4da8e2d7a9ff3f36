// Live updates, folding, details and the keyboard. Every page also works without this file.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const base = document.body.dataset.base;
  const traces = $("traces"), spans = $("spans"), waterfall = $("waterfall");

  // Live updates. A hidden page gives its connection back, since browsers have only six for each host.
  function live(url, receive) {
    let source = null, last = null;
    const indicator = $("live");
    const say = (on) => {
      if (!indicator) return;
      indicator.textContent = on ? "live" : "not live";
      indicator.classList.toggle("on", on);
    };
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
        receive(update.rows, update);
      });
    };
    const close = () => { if (source) source.close(); source = null; };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  }

  // The list.
  function place(body, row) {
    const start = Number(row.dataset.start);
    for (const other of body.rows) {
      if (Number(other.dataset.start) <= start) return body.insertBefore(row, other);
    }
    body.append(row);
  }
  function offer({ services, operations }) {
    const select = $("filters").elements.service, chosen = select.value;
    const options = (names) => names.map((name) => new Option(name));
    if (services) {
      select.replaceChildren(select.options[0], ...options(services));
      select.value = chosen;
    }
    if (operations) $("operations").replaceChildren(...options(operations));
  }
  function receiveRows(rows, update) {
    offer(update);
    const body = traces.tBodies[0], limit = Number(traces.dataset.limit);
    for (const r of rows) {
      const box = document.createElement("tbody");
      box.innerHTML = r.html;
      const row = box.rows[0], link = row.querySelector("a"), old = $(row.id);
      link.setAttribute("href", base + link.getAttribute("href"));
      const focused = old && old.contains(document.activeElement);
      if (old) old.remove(); else row.classList.add("new");
      place(body, row);
      if (focused) link.focus({ preventScroll: true });
    }
    while (body.rows.length > limit) body.deleteRow(-1);
    traces.hidden = body.rows.length === 0;
    $("empty").hidden = !traces.hidden;
    scale();
    ages();
  }
  function scale() { // as the server does it
    const rows = [...traces.tBodies[0].rows], longest = Math.max(...rows.map((r) => Number(r.dataset.us)));
    for (const row of rows) {
      const width = longest > 0 ? Math.max(100 * Math.sqrt(row.dataset.us / longest), 1) : 0;
      row.querySelector(".bar rect").setAttribute("width", width.toFixed(1) + "%");
    }
  }
  function ages() {
    for (const row of traces.tBodies[0].rows) {
      row.querySelector(".age").textContent = age(Date.now() / 1000 - row.dataset.start / 1e6);
    }
  }
  function age(s) {
    if (s < 1) return "now";
    if (s < 60) return Math.floor(s) + " s ago";
    if (s < 3600) return Math.floor(s / 60) + " min ago";
    if (s < 172800) return Math.floor(s / 3600) + " h ago";
    return Math.floor(s / 86400) + " d ago";
  }
  if (traces) {
    live(traces.dataset.events, receiveRows);
    setInterval(ages, 1000);
    const form = $("filters");
    form.addEventListener("submit", () => {
      for (const f of form.elements) if (f.name && !f.value) f.disabled = true; // short addresses
    });
    addEventListener("pageshow", () => { for (const f of form.elements) f.disabled = false; });
    traces.addEventListener("focusin", (e) => { // for whoever comes back from the trace
      const row = e.target.closest(".trace");
      if (row) history.replaceState({ row: row.id }, "");
    });
    const left = history.state && $(history.state.row);
    if (left) left.querySelector("a").focus();
    form.elements.service.addEventListener("change", () => form.requestSubmit());
    form.elements.errors.addEventListener("change", () => form.requestSubmit());
  }

  // One trace.
  const isSpan = (el) => el.classList.contains("span");
  const idOf = (row) => row.id.slice("span-".length);
  const depthOf = (row) => Number(row.dataset.depth);
  function remember(key, id, on) {
    const u = new URL(location.href);
    const rest = u.searchParams.getAll(key).filter((v) => v !== id);
    u.searchParams.delete(key);
    for (const v of rest) u.searchParams.append(key, v);
    if (on) u.searchParams.append(key, id);
    history.replaceState(null, "", u);
  }
  function fold(row, closed) {
    const button = row.querySelector(".fold");
    if (!button || (button.getAttribute("aria-expanded") === "false") === closed) return;
    const next = row.nextElementSibling;
    const first = next && !isSpan(next) ? next.nextElementSibling : next;
    if (!closed && (!first || depthOf(first) <= depthOf(row))) {
      location.href = button.href; // its spans were left out by the server
      return;
    }
    button.setAttribute("aria-expanded", String(!closed));
    remember("fold", idOf(row), closed);
    const depth = depthOf(row);
    let under = Infinity; // spans deeper than this stay folded
    for (let el = first; el; el = el.nextElementSibling) {
      const d = isSpan(el) ? depthOf(el) : depthOf(el.previousElementSibling);
      if (d <= depth) break;
      if (isSpan(el) && d <= under) under = Infinity;
      el.hidden = closed || d > under;
      if (isSpan(el) && under === Infinity) {
        const b = el.querySelector(".fold");
        if (b && b.getAttribute("aria-expanded") === "false") under = d;
      }
    }
  }
  async function detail(row) {
    const id = idOf(row), open = $("detail-" + id);
    if (open) {
      open.remove();
      row.classList.remove("open");
      remember("span", id, false);
      return;
    }
    row.classList.add("open");
    const answer = await fetch(base + "trace/" + waterfall.dataset.trace + "/span/" + id);
    if (!answer.ok) {
      location.reload();
      return;
    }
    const html = await answer.text();
    if ($("detail-" + id)) return;
    row.insertAdjacentHTML("afterend", html);
    remember("span", id, true);
  }
  if (spans) {
    spans.addEventListener("click", (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
      const row = e.target.closest(".span");
      if (!row) return;
      e.preventDefault();
      const button = e.target.closest(".fold");
      if (button) fold(row, button.getAttribute("aria-expanded") !== "false");
      else {
        row.querySelector(".name").focus({ preventScroll: true });
        detail(row);
      }
    });
    live(waterfall.dataset.events, (rows) => {
      for (const r of rows) {
        if (r.id !== waterfall.dataset.trace) continue;
        const note = $("late"), link = document.createElement("a");
        link.href = location.href;
        link.textContent = "Show them";
        link.addEventListener("click", () => location.reload());
        note.replaceChildren("More spans have come: " + r.spans + " now. ", link);
        note.hidden = false;
      }
    });
    const id = $("trace-id");
    if (id && navigator.clipboard) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(id.textContent);
        button.textContent = "Copied";
      });
      id.after(button);
    }
  }

  // The keyboard: j and k move, enter opens (links do that by themselves), escape goes back, h and l fold.
  const links = () => [...document.querySelectorAll("#traces .trace a, #spans .span:not([hidden]) > .name, #operations .name a")];
  function move(step) {
    const all = links();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
  function escape() {
    const row = document.activeElement.closest && document.activeElement.closest(".span");
    if (row && $("detail-" + idOf(row))) return detail(row);
    if (waterfall) {
      const from = document.referrer && new URL(document.referrer);
      if (from && from.origin === location.origin && history.length > 1) history.back();
      else location.href = base;
    } else document.activeElement.blur();
  }
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = e.target.closest("input, select, textarea");
    if (typing) {
      if (e.key === "Escape") typing.blur();
      return;
    }
    const row = document.activeElement.closest && document.activeElement.closest(".span");
    if (e.key === "j" || e.key === "ArrowDown" && row) move(1);
    else if (e.key === "k" || e.key === "ArrowUp" && row) move(-1);
    else if (e.key === "Escape") escape();
    else if (row && (e.key === "h" || e.key === "ArrowLeft")) fold(row, true);
    else if (row && (e.key === "l" || e.key === "ArrowRight")) fold(row, false);
    else if (e.key === "/") ($("filters") ? $("filters").elements.tag : document.querySelector(".find input")).focus();
    else return;
    e.preventDefault();
  });
})();
