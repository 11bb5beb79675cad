"use strict";
// A list to work through by keyboard: J and K go down and up, and so do the arrow keys within the list; Enter opens;
// X selects and A acknowledges what is selected, or the line that one is in.
(() => {
  const boxes = () => [...document.querySelectorAll("#incidents input[name=incident]")];
  const selected = document.getElementById("selected");

  function tell() {
    const all = boxes();
    const count = all.filter((box) => box.checked).length;
    // What can be done stays in view while something is selected.
    document.getElementById("bulk")?.classList.toggle("chosen", count > 0);
    if (selected) selected.textContent = count ? selected.dataset.text.replace("{n}", count) : "";
    const every = document.getElementById("select-all");
    if (!every) return;
    every.hidden = false;
    every.checked = count > 0 && count === all.length;
    every.indeterminate = count > 0 && count < all.length;
  }

  function go(links, at, step) {
    const link = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
    link.focus();
    link.closest("tr").scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const from = event.target;
    const isBox = from instanceof Element && from.matches("#incidents input[type=checkbox]");
    if (!isBox && from instanceof Element && from.closest("input, select, textarea, [contenteditable]")) return;
    const links = [...document.querySelectorAll("#incidents a.open")];
    const row = from instanceof Element && from.closest("#incidents tr");
    const at = row ? links.findIndex((link) => row.contains(link)) : -1;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    // Elsewhere the arrow keys scroll.
    const step = key === "j" || (at >= 0 && key === "ArrowDown") ? 1 : key === "k" || (at >= 0 && key === "ArrowUp") ? -1 : 0;
    const box = at >= 0 ? row.querySelector("input[name=incident]") : null;
    if (step && links.length) {
      event.preventDefault();
      go(links, at, step);
    } else if (key === "x" && box) {
      event.preventDefault();
      box.checked = !box.checked;
      tell();
    } else if (key === "a" && document.getElementById("bulk")) {
      if (box && !boxes().some((one) => one.checked)) box.checked = true;
      if (!boxes().some((one) => one.checked)) return;
      event.preventDefault();
      document.getElementById("bulk-acknowledge").click();
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "select-all") for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#incidents")) tell();
  });

  // The list asks again by itself: what is selected stays so, as long as it is listed.
  let kept = [];
  document.body.addEventListener("htmx:beforeSwap", () => { kept = boxes().filter((box) => box.checked).map((box) => box.value); });
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const box of boxes()) box.checked = kept.includes(box.value);
    tell();
  });
  tell();
})();
