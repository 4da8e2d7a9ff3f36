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
