// The list beside a trace, on wide screens: that of the page from which the trace was opened. It stays as it is while
// one goes through it; new traces wait.
const $ = (id) => document.getElementById(id);
const base = document.body.dataset.base, current = $("waterfall").dataset.trace, desk = $("desk"), nav = $("beside"), fresh = nav.querySelector(".waiting"), hide = $("hide-list");
const wide = matchMedia("(min-width: 1100px)"), store = (() => { try { return sessionStorage; } catch { return {}; } })(); // {}: nothing may be kept
const query = store["spanloom.list"] || "";
let list = nav.querySelector("ol"), loading = null, added = 0, timer = 0;

const itemOf = (id) => [...list.children].find((li) => li.dataset.trace === id);
function parse(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  for (const link of box.content.querySelectorAll("a")) link.href = base + "trace/" + link.parentElement.dataset.trace;
  return box.content.querySelector("ol");
}
async function fetchList() {
  const answer = await fetch(base + "beside" + query).catch(() => null);
  return answer && answer.ok ? parse(await answer.text()) : null;
}
function use(other) {
  if (!other) return;
  list.replaceWith(other);
  list = other;
  added = 0;
  show();
  const here = itemOf(current);
  if (here && here.offsetTop > list.clientHeight - 60) list.scrollTop = here.offsetTop - list.clientHeight / 2;
}
function show() {
  const here = itemOf(current);
  if (here) here.firstElementChild.setAttribute("aria-current", "page");
  fresh.hidden = !added;
  fresh.textContent = added + " new";
  store["spanloom.beside"] = query + "\n" + list.outerHTML;
}
async function refresh() {
  timer = 0;
  const other = await fetchList();
  if (!other) return;
  added = 0;
  for (const li of [...other.children]) {
    const old = itemOf(li.dataset.trace);
    if (!old) added++;
    else if (old.innerHTML !== li.innerHTML) {
      old.className = li.className;
      old.firstElementChild.replaceChildren(...li.firstElementChild.childNodes); // the link may have the focus
    }
  }
  show();
}
function receive({ rows, gone, reset }) {
  if (reset) return fetchList().then(use);
  for (const id of gone || []) if (itemOf(id)) itemOf(id).classList.add("gone");
  if (rows.length && !timer) timer = setTimeout(refresh, 1000);
}
async function load() {
  const [head, ...html] = (store["spanloom.beside"] || "").split("\n"), old = head === query && parse(html.join("\n"));
  if (old && [...old.children].some((li) => li.dataset.trace === current)) {
    for (const link of old.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    use(old);
  } else use(await fetchList());
  if (list.dataset.events) window.spanloom.live(base + list.dataset.events, receive);
}
const loaded = () => loading || (loading = load());

function toggle(on) {
  desk.classList.toggle("alone", !on);
  hide.textContent = on ? "Hide list" : "Show list";
  hide.setAttribute("aria-expanded", String(on));
  store["spanloom.alone"] = on ? "" : "1";
  if (on && wide.matches) loaded();
  dispatchEvent(new Event("resize"));
}
const other = () => toggle(desk.classList.contains("alone"));
async function go(step) {
  await loaded();
  const all = [...list.children].filter((li) => !li.matches(".gone")), next = all[all.indexOf(itemOf(current)) + step];
  if (next) location.href = next.firstElementChild.href;
}
hide.hidden = false;
hide.addEventListener("click", other);
fresh.addEventListener("click", () => fetchList().then(use));
wide.addEventListener("change", () => { if (wide.matches && !desk.matches(".alone")) loaded(); });
const inner = window.spanloom.key;
window.spanloom.key = (e) => {
  if (e.key === "J" || e.key === "K") go(e.key === "J" ? 1 : -1);
  else if (e.key === "t" && wide.matches) other();
  else return inner(e);
  return true;
};
toggle(!store["spanloom.alone"]);
