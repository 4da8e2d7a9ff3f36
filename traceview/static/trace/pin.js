// Pinning, without leaving what is shown.
const pin = $("pin");
pin.addEventListener("submit", async (e) => {
  e.preventDefault();
  const b = pin.querySelector("button");
  const answer = await fetch(pin.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ pinned: b.value }) }).catch(() => null);
  if (!answer || !answer.ok) return note(answer ? await answer.text() : "The program does not answer.");
  b.textContent = b.value ? "Unpin" : "Pin";
  b.value = b.value ? "" : "1";
});
function note(text) {
  $("late").textContent = text;
  $("late").hidden = false;
}
