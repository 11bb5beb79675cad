"use strict";
// A list to work through by keyboard: J and K go down and up, and so do the arrow keys within the list; Enter opens.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  const from = event.target;
  if (from instanceof Element && from.closest("input, select, textarea, [contenteditable]")) return;
  const links = [...document.querySelectorAll("#incidents a.open")];
  const row = from instanceof Element && from.closest("#incidents tr");
  const at = row ? links.findIndex((link) => row.contains(link)) : -1;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // Elsewhere the arrow keys scroll.
  const step = key === "j" || (at >= 0 && key === "ArrowDown") ? 1 : key === "k" || (at >= 0 && key === "ArrowUp") ? -1 : 0;
  if (!step || !links.length) return;
  event.preventDefault();
  const link = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
  link.focus();
  link.closest("tr").scrollIntoView({ block: "nearest" });
});
