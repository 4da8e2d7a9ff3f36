// Text and elements.
const count = (n, word) => n.toLocaleString("en") + " " + word + (n === 1 ? "" : "s");
function digits(f) {
  const s = f.toFixed(f >= 99.95 ? 0 : f >= 9.995 ? 1 : 2);
  return s.includes(".") ? s.replace(/\.?0+$/, "") : s;
}
function duration(ns) { // as the server writes it
  if (ns < 0) return "-" + duration(-ns);
  if (ns === 0) return "0";
  if (ns < 1e3) return Math.round(ns) + " ns";
  if (ns < 999500) return digits(ns / 1e3) + " µs";
  if (ns < 999.5e6) return digits(ns / 1e6) + " ms";
  if (ns < 60e9) return digits(ns / 1e9) + " s";
  const s = Math.floor(ns / 1e9), two = (n) => String(n).padStart(2, "0");
  if (s >= 172800) return Math.floor(s / 86400) + " d" + (s < 864e5 ? " " + two(Math.floor(s / 3600) % 24) + " h" : "");
  return s < 3600 ? Math.floor(s / 60) + " m " + two(s % 60) + " s" : Math.floor(s / 3600) + " h " + two(Math.floor(s / 60) % 60) + " m";
}
function el(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}
function svg(tag, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
}
