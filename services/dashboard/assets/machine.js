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
  let tile = null;
  const chart = box && beltChart(box, words, () => [now() / 1000 - SHOWN_S, now() / 1000]);

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
      chart?.show(points);
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
    if (!document.hidden) chart?.show(points);
  });
  open();
})();
