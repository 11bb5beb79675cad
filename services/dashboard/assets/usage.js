"use strict";
// The map of weekdays and hours by keyboard: arrow keys, Home and End move from cell to cell; only one is in the order of
// the Tab key.
(() => {
  const map = document.getElementById("heat-map");
  if (!map) return;
  const rows = [...map.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  const place = (cell) => {
    for (const [y, row] of rows.entries()) {
      const x = row.indexOf(cell);
      if (x >= 0) return [x, y];
    }
    return null;
  };
  const enter = (cell) => {
    for (const row of rows) for (const one of row) one.tabIndex = one === cell ? 0 : -1;
  };
  map.addEventListener("focusin", (event) => { if (place(event.target)) enter(event.target); });
  map.addEventListener("keydown", (event) => {
    const at = place(event.target);
    if (!at || event.ctrlKey || event.altKey || event.metaKey) return;
    const [x, y] = at;
    const moves = { ArrowLeft: [x - 1, y], ArrowRight: [x + 1, y], ArrowUp: [x, y - 1], ArrowDown: [x, y + 1], Home: [0, y], End: [rows[y].length - 1, y] };
    const to = moves[event.key];
    const cell = to && rows[to[1]]?.[to[0]];
    if (!to) return;
    event.preventDefault();
    cell?.focus();
  });
})();
