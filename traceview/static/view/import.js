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
