// Details: in the pane beside a wide waterfall, else below the row.
const wide = matchMedia("(min-width: 1100px)");
async function detail(s) {
  if (open.has(s)) return close(s);
  const answer = await fetch(base + "trace/" + trace + "/span/" + s.id).catch(() => null);
  const box = document.createElement("template");
  box.innerHTML = answer && answer.ok ? await answer.text()
    : '<li class="detail" id="detail-' + s.id + '"><p class="problem">The program keeps this trace no longer, or does not answer. What this page shows stays.</p></li>';
  if (open.has(s)) return;
  if (wide.matches) for (const other of [...open.keys()]) close(other, true);
  const panel = box.content.firstElementChild;
  for (const cell of panel.querySelectorAll(".tags td")) {
    const button = el("button", "copy", "Copy");
    button.type = "button";
    cell.append(button);
  }
  open.set(s, panel);
  if (wide.matches) {
    const holder = el("ol", "spans");
    holder.append(panel);
    pane.replaceChildren(holder);
    pane.hidden = false;
    section.parentElement.classList.add("split");
    pane.scrollTop = 0;
  }
  remember({ span: [...open.keys()].map((o) => o.id) });
  redraw();
}
function close(s, silent) {
  open.get(s).remove();
  open.delete(s);
  if (!pane.querySelector(".detail")) {
    pane.hidden = true;
    section.parentElement.classList.remove("split");
  }
  if (silent) return;
  remember({ span: [...open.keys()].map((o) => o.id) });
  redraw();
}
