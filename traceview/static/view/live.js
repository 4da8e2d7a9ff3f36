// Live updates. A hidden page gives its connection back, since browsers have only six for each host.
const $ = (id) => document.getElementById(id);
const base = document.body.dataset.base;
const traces = $("traces");

function say(on) {
  const indicator = $("live");
  if (!indicator) return;
  indicator.textContent = on ? "live" : "not live";
  indicator.classList.toggle("on", !!on);
}
function live(url, receive) {
  let source = null, last = null;
  const open = () => {
    if (source || document.hidden) return;
    const u = new URL(url, location.href);
    if (last) u.searchParams.set("since", last);
    source = new EventSource(u);
    source.onopen = () => say(true);
    source.onerror = () => {
      say(false);
      if (source.readyState < 2) return; // the browser connects again by itself, but not after an answer such as a proxy's 502
      close();
      setTimeout(open, 3000);
    };
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
