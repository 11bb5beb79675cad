"use strict";
// One machine: its tile large, and its speed as a chart.
(() => {
  const { words, aged, setText, now, open, onUpdate, onTick } = beltwatch;
  const shown = document.getElementById("now");
  const find = (selector) => shown.querySelector(selector);
  const box = document.getElementById("chart");
  const SHOWN_S = 300;
  // Times; speed with its sign where the direction is known; speed without where it is not.
  let points = [[], [], []];
  let chart = null;
  let tile = null;

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  // Forward above zero and reverse below, each in its colour.
  function signedStroke(self) {
    const { top, height } = self.bbox;
    const zero = Math.min(1, Math.max(0, (self.valToPos(0, "y", true) - top) / height));
    if (!Number.isFinite(zero)) return colour("--forward");
    const gradient = self.ctx.createLinearGradient(0, top, 0, top + height);
    for (const [at, name] of [[0, "--forward"], [zero, "--forward"], [zero, "--reverse"], [1, "--reverse"]]) gradient.addColorStop(at, colour(name));
    return gradient;
  }

  function draw() {
    if (!box) return;
    chart?.destroy();
    const language = document.documentElement.lang;
    const time = new Intl.DateTimeFormat(language, { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: words.zone });
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const axis = { stroke: colour("--ink"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "13px system-ui, sans-serif" };
    const line = { width: 2.5, spanGaps: false, points: { show: false } };
    chart = new uPlot({
      width: box.clientWidth, height: 270, padding: [12, 36, 0, 0], legend: { show: false }, cursor: { show: false },
      scales: {
        x: { time: true, range: () => [now() / 1000 - SHOWN_S, now() / 1000] },
        y: { range: (self, low, high) => [Math.min(0, (low ?? 0) * 1.1), Math.max(5, (high ?? 0) * 1.1)] },
      },
      axes: [
        { ...axis, space: 80, values: (self, ticks) => ticks.map((tick) => time.format(tick * 1000)) },
        { ...axis, size: 60, values: (self, ticks) => ticks.map((tick) => number.format(tick)), label: words.unit, labelSize: 18, labelFont: "13px system-ui, sans-serif" },
      ],
      series: [
        {},
        { ...line, label: words.signed, stroke: signedStroke },
        { ...line, label: words.unknown, stroke: colour("--unknown"), dash: [8, 6] },
      ],
    }, points, box);
  }

  async function load() {
    if (!words.readings) return;
    const missing = document.getElementById("chart-missing");
    try {
      const answer = await fetch(words.readings, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(await answer.text());
      const read = await answer.json();
      points = [read.times, read.signed, read.unknown];
      missing.hidden = true;
      if (read.covered !== null) {
        const share = read.covered < 100 ? Math.min(read.covered, 99.9) : 100;
        const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
        setText(document.getElementById("chart-coverage"), words.covered.replace("{n}", number.format(share)));
      }
      chart?.setData(points);
    } catch (failure) {
      missing.hidden = false;
      missing.textContent = failure instanceof TypeError ? "" : failure.message;
      missing.hidden = !missing.textContent;
    }
  }

  function add(update) {
    const times = points[0];
    const last = times[times.length - 1] ?? 0;
    const known = update.value !== undefined;
    const at = known ? update.at / 1000 : now() / 1000;
    if (at <= last) return;
    const sign = update.direction === "d-reverse" ? -1 : 1;
    times.push(at);
    points[1].push(known && update.direction !== "d-unknown" ? sign * update.value : update.direction === "d-stopped" ? 0 : null);
    points[2].push(known && update.direction === "d-unknown" ? update.value : null);
    while (times.length && times[0] < at - SHOWN_S - 10) for (const list of points) list.shift();
  }

  function show(update) {
    tile = update;
    shown.className = `now ${update.status} ${update.direction}`;
    setText(find(".status b"), update.status_words);
    setText(find(".speed i"), update.speed || "–");
    setText(find(".direction"), update.direction_words);
    setText(find(".incline"), update.incline ?? "");
    setText(find(".why"), aged(update.why, update.since));
    setText(find(".more"), update.more ?? "");
    setText(find(".was"), update.was ?? "");
    if (update.stop) shown.dataset.stopTime = update.stop; else delete shown.dataset.stopTime;
    add(update);
  }

  onUpdate((update) => {
    for (const one of update.tiles ?? []) if (one.id === shown.dataset.id) show(one);
    // After a break the readings fill what was missed.
    if (update.completes) load();
  });
  onTick(() => {
    if (tile) setText(find(".why"), aged(tile.why, tile.since));
    if (!document.hidden) chart?.setData(points);
  });
  draw();
  if (box) new ResizeObserver(() => { if (chart && box.clientWidth !== chart.width) chart.setSize({ width: box.clientWidth, height: 270 }); }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  open();
})();
