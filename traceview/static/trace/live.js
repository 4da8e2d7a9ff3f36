// Spans that come later, and the end of the trace in the memory of the program.
window.spanloom.live(section.dataset.events, ({ rows, gone, reset }) => {
  const note = $("late");
  const mine = rows.find((r) => r.id === trace);
  if (mine && mine.spans > spans.length) {
    const again = el("a", "", "Show them");
    again.href = location.href;
    again.addEventListener("click", () => location.reload());
    note.replaceChildren("More spans have come: " + mine.spans + " now. ", again);
    note.hidden = false;
  } else if (!mine && (reset || (gone || []).includes(trace))) {
    note.textContent = "The program keeps this trace no longer. This page stays as it is.";
    note.hidden = false;
  } else if (mine && reset) note.hidden = true;
});
