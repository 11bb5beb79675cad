"use strict";
// A proof test: the screen stays on while it goes, and what is to be done is read out when it changes.
document.addEventListener("DOMContentLoaded", () => {
  const said = document.getElementById("drill-said");
  const say = () => {
    const words = document.getElementById("drill-now")?.dataset.said ?? "";
    if (said.textContent !== words) said.textContent = words;
  };
  const keepOn = async () => {
    if (document.hidden || !navigator.wakeLock) return;
    try {
      await navigator.wakeLock.request("screen");
    } catch {
      // Not on battery saving: the page works without.
    }
  };
  document.body.addEventListener("htmx:afterSwap", say);
  document.addEventListener("visibilitychange", keepOn);
  say();
  keepOn();
});
