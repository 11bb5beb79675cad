"use strict";
// The belt around an incident, with marks for what happened and shades for stops that were open.
(() => {
  const box = document.getElementById("chart");
  const missing = document.getElementById("chart-missing");
  let trace = { marks: [], shades: [], from: 0, until: 1 };

  function text(self, words, x, line) {
    const { ctx, bbox } = self;
    const scale = devicePixelRatio;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.font = `${13 * scale}px system-ui, sans-serif`;
    const width = ctx.measureText(words).width;
    const left = Math.max(bbox.left, Math.min(x + 4 * scale, bbox.left + bbox.width - width));
    const base = bbox.top + (14 + 16 * line) * scale;
    // Lines that cross the words end around them.
    ctx.save();
    ctx.strokeStyle = beltChart.colour("--tile");
    ctx.lineWidth = 4 * scale;
    ctx.lineJoin = "round";
    ctx.setLineDash([]);
    ctx.strokeText(words, left, base);
    ctx.restore();
    ctx.fillText(words, left, base);
  }

  function shade(self) {
    const { ctx, bbox } = self;
    ctx.save();
    for (const { from, until } of trace.shades) {
      const left = Math.max(bbox.left, self.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, self.valToPos(until, "x", true));
      ctx.fillStyle = beltChart.colour("--alarm-text");
      ctx.globalAlpha = 0.14;
      ctx.fillRect(left, bbox.top, Math.max(devicePixelRatio, right - left), bbox.height);
    }
    ctx.restore();
  }

  function mark(self) {
    const { ctx, bbox } = self;
    ctx.save();
    const colour = (main) => beltChart.colour(main ? "--alarm-text" : "--ink");
    const place = (at) => Math.round(self.valToPos(at, "x", true));
    for (const { at, main } of trace.marks) {
      const x = place(at);
      ctx.strokeStyle = colour(main);
      ctx.lineWidth = (main ? 3 : 1.5) * devicePixelRatio;
      ctx.setLineDash(main ? [] : [4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    trace.marks.forEach(({ at, label, main }, line) => {
      ctx.fillStyle = colour(main);
      text(self, label, place(at), line);
    });
    ctx.fillStyle = colour(true);
    trace.shades.forEach(({ from, label }, line) => text(self, label, place(from), trace.marks.length + line));
    ctx.restore();
  }

  const chart = beltChart(box, box.dataset, () => [trace.from, trace.until], { drawClear: [shade], draw: [mark] });

  async function load() {
    try {
      const answer = await fetch(box.dataset.trace, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      trace = await answer.json();
      missing.hidden = true;
      chart.show([trace.times, trace.signed, trace.unknown]);
    } catch (failure) {
      // A connection that is gone is told by the page itself.
      missing.textContent = failure instanceof TypeError ? "" : failure.message;
      missing.hidden = !missing.textContent;
    }
  }

  // Deadlines count down by the server's clock; in the two greatest units, as the server writes them.
  let heard = null;
  function left(words, seconds) {
    const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24, minutes = Math.floor(seconds / 60) % 60;
    const say = (name, count) => words[name].replace("{n}", count);
    if (days) return `${say("days", days)} ${say("hours", hours)}`;
    if (hours) return `${say("hours", hours)} ${say("minutes", minutes)}`;
    return minutes ? say("minutes", minutes) : say("seconds", seconds);
  }
  function count() {
    const list = document.querySelector(".deadlines");
    if (!list) return;
    const told = Number(list.dataset.now);
    if (!heard || heard.told !== told) heard = { told, at: performance.now() };
    const now = told + performance.now() - heard.at;
    for (const place of list.querySelectorAll("[data-due]")) {
      const seconds = Math.trunc((Number(place.dataset.due) - now) / 1000);
      const words = (seconds > 0 ? list.dataset.left : list.dataset.over).replace("{n}", left(list.dataset, Math.abs(seconds)));
      if (place.textContent !== words) place.textContent = words;
      place.closest("li").className = seconds > 0 ? "waits" : "missed";
    }
  }
  setInterval(count, 1000);

  // A tap that has begun is not lost because the page asks again meanwhile, nor is a note half deleted.
  let isPressed = false;
  for (const name of ["pointerdown", "pointerup", "pointercancel"]) document.addEventListener(name, () => { isPressed = name === "pointerdown"; });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (isPressed || document.querySelector("#timeline details[open]")) event.detail.shouldSwap = false;
  });

  // While more is to come the page asks again, and so does its chart.
  document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "incident") load(); });
  load();
})();
