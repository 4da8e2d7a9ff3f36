// How long ago a trace began, and how long a request is open.
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
