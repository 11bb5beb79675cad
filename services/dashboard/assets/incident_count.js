"use strict";
// How many incidents of the site need somebody, asked again while the floor is open.
(() => {
  const EVERY_MS = 10000;
  async function load() {
    const part = document.getElementById("open-incidents");
    if (document.hidden || !part || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(part.dataset.url);
      if (!answer.ok || answer.redirected) return;
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = parsed.getElementById("open-incidents");
      if (fresh) part.replaceWith(document.adoptNode(fresh));
    } catch {
      // The floor itself says when the connection is gone.
    }
  }
  setInterval(load, EVERY_MS);
  document.addEventListener("visibilitychange", load);
})();
