"use strict";
// The stream behind a page: connection, the server's time, ages. Other scripts say what to do with updates.
const beltwatch = (() => {
  const words = document.getElementById("live").dataset;
  const lost = document.getElementById("lost");
  const lostAge = lost.querySelector("[data-lost-age]");
  const full = document.getElementById("full");
  // The server sends a heartbeat every 5 s.
  const SILENCE_MAX_MS = 15000;
  const RETRY_MS = [500, 1000, 2000, 5000, 10000];
  const handlers = [];
  const ticks = [];
  let offset = Number(words.now) - Date.now();
  let source = null;
  let heard = Date.now();
  let opened = heard;
  let failures = 0;
  let isLost = false;

  const now = () => Date.now() + offset;

  function age(milliseconds) {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    if (seconds < 60) return words.seconds.replace("{n}", seconds);
    if (seconds < 3600) return words.minutes.replace("{n}", Math.floor(seconds / 60));
    if (seconds < 86400) return words.hours.replace("{n}", Math.floor(seconds / 3600));
    return words.days.replace("{n}", Math.floor(seconds / 86400));
  }

  // A sentence in which {ago} or {for} stands for the age of a moment.
  function aged(sentence, since) {
    const worded = (pattern) => since === undefined ? words.notKnown : pattern.replace("{n}", age(now() - since));
    if (sentence.includes("{ago}")) return sentence.replace("{ago}", () => worded(words.ago));
    if (sentence.includes("{for}")) return sentence.replace("{for}", () => worded(words.for));
    return sentence;
  }

  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function setLost(value) {
    if (value === isLost) return;
    isLost = value;
    lost.hidden = !value;
    document.body.classList.toggle("stale", value);
  }

  function retry(milliseconds) {
    if (source) source.close();
    source = null;
    setLost(true);
    const wait = milliseconds ?? RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    failures += 1;
    setTimeout(open, wait);
  }

  function open() {
    if (source) return;
    opened = Date.now();
    source = new EventSource(words.url);
    source.addEventListener("tiles", (event) => {
      const update = JSON.parse(event.data);
      heard = Date.now();
      offset = update.now - heard;
      for (const handler of handlers) handler(update);
      if (update.completes) { failures = 0; full.hidden = true; setLost(false); }
    });
    source.addEventListener("signed-out", (event) => { source.close(); location.assign(JSON.parse(event.data)); });
    source.addEventListener("full", () => { full.hidden = false; retry(30000); });
    source.addEventListener("broken", () => retry());
    source.onerror = () => retry();
  }

  setInterval(() => {
    if (source && Date.now() - Math.max(heard, opened) > SILENCE_MAX_MS) retry();
    if (isLost) setText(lostAge, aged("({ago})", heard + offset));
    for (const tick of ticks) tick();
  }, 1000);
  addEventListener("online", () => { if (isLost) { failures = 0; open(); } });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });

  return { words, now, aged, setText, open, onUpdate: (handler) => handlers.push(handler), onTick: (tick) => ticks.push(tick) };
})();
