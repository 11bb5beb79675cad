"use strict";
// For pages that ask again by themselves: say so when no answer comes.
document.addEventListener("DOMContentLoaded", () => {
  const lost = document.getElementById("lost");
  const show = () => { lost.hidden = false; document.body.classList.add("stale"); };
  const hide = () => { lost.hidden = true; document.body.classList.remove("stale"); };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) document.body.addEventListener(name, show);
  document.body.addEventListener("htmx:afterSwap", hide);
});
