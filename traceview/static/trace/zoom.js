// The trace as a whole: what is seen of it, and a small picture.
const map = $("minimap"), canvas = map.querySelector("canvas"), brush = map.querySelector(".brush"), ticks = section.querySelectorAll(".ticks i");
function extentAll() {
  low = Infinity; high = -Infinity;
  for (const s of spans) {
    s.start = s.reported + (aligned ? s.shift : 0);
    low = Math.min(low, s.start);
    high = Math.max(high, s.start + s.dur);
  }
  if (!(high > low)) high = low + 1e3;
  if (skewed) document.querySelector(".facts .big").textContent = duration(high - low);
}
function zoom(a, b, keep) {
  const least = Math.max((high - low) / 1e6, 1);
  if (b - a < least) [a, b] = [(a + b - least) / 2, (a + b + least) / 2];
  if (b - a > high - low) [a, b] = [low, high];
  if (a < low) [a, b] = [low, low + b - a];
  if (b > high) [a, b] = [high - (b - a), high];
  [from, to] = [a, b];
  const whole = a === low && b === high;
  ticks.forEach((tick, i) => { const t = from - low + (to - from) * i / 4; tick.textContent = t === 0 ? "0" : duration(t); });
  if (!keep) remember({ range: whole ? "" : Math.round(a / 1e3) + "-" + Math.round(b / 1e3) });
  section.classList.toggle("zoomed", !whole);
  if (reset) reset.disabled = whole;
  redraw();
}
function mini() {
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = devicePixelRatio || 1;
  brush.style.left = 100 * (from - low) / (high - low) + "%";
  brush.style.width = 100 * (to - from) / (high - low) + "%";
  const state = [width, ratio, aligned, hits.size, query, only.size].join();
  if (!width || canvas.dataset.state === state) return;
  canvas.dataset.state = state;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const g = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const colors = data.services.map(([, c]) => style.getPropertyValue("--c" + c)), err = style.getPropertyValue("--err"), accent = style.getPropertyValue("--accent");
  g.scale(ratio, ratio);
  const step = height / spans.length, thick = Math.max(Math.min(step, 3), 1);
  spans.forEach((s, i) => {
    g.fillStyle = hits.has(s.id) ? accent : s.flags & FAILED ? err : colors[s.svc];
    g.fillRect(width * (s.start - low) / (high - low), i * step, Math.max(width * s.dur / (high - low), 1), hits.has(s.id) ? thick + 1 : thick);
  });
}
function dragRange(area, mark) {
  area.addEventListener("pointerdown", (down) => {
    if (down.button !== 0) return;
    const box = area.getBoundingClientRect(), a = area === map ? low : from, b = area === map ? high : to;
    const time = (e) => a + (b - a) * Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1), start = time(down);
    area.setPointerCapture(down.pointerId);
    const range = (e) => [Math.min(start, time(e)), Math.max(start, time(e))];
    const move = (e) => {
      const [x, y] = range(e);
      mark.style.left = 100 * (x - low) / (high - low) + "%";
      mark.style.width = 100 * (y - x) / (high - low) + "%";
    };
    const up = (e) => {
      area.removeEventListener("pointermove", move);
      const [x, y] = range(e);
      if ((y - x) / (b - a) > 0.005) zoom(x, y); else zoom(from, to, true);
    };
    area.addEventListener("pointermove", move);
    area.addEventListener("pointerup", up, { once: true });
  });
  area.addEventListener("dblclick", () => zoom(low, high));
}
