"use strict";
// The plan of a room: machines are moved by pointer or by arrow keys; the numbers below are what is saved.
(() => {
  const form = document.getElementById("arrange");
  const plan = document.getElementById("plan");
  const outside = document.getElementById("outside");
  const said = document.getElementById("said");
  const SIDE = 64;
  const pieces = [];

  for (const item of document.querySelectorAll(".places li")) {
    const [row, column] = item.querySelectorAll("input");
    const node = document.createElement("button");
    node.type = "button";
    node.textContent = item.dataset.name;
    const piece = { name: item.dataset.name, row, column, node };
    pieces.push(piece);
    node.addEventListener("keydown", (event) => byKey(event, piece));
    node.addEventListener("pointerdown", (event) => byPointer(event, piece));
    for (const field of [row, column]) field.addEventListener("input", show);
  }
  const end = document.createElement("span");
  plan.append(end);

  function place(piece) {
    const number = (field) => /^\d+$/.test(field.value) && field.value >= 1 && field.value <= SIDE ? Number(field.value) - 1 : null;
    const row = number(piece.row), column = number(piece.column);
    return row === null || column === null ? null : { row, column };
  }
  function put(piece, to) {
    piece.row.value = to ? to.row + 1 : "";
    piece.column.value = to ? to.column + 1 : "";
  }
  function words(piece) {
    const at = place(piece);
    const pattern = at ? form.dataset.at : form.dataset.unplaced;
    return pattern.replace("{row}", at && at.row + 1).replace("{column}", at && at.column + 1).replace("{name}", () => piece.name);
  }
  function show() {
    let rows = 3, columns = 5;
    for (const piece of pieces) {
      const at = place(piece);
      const list = at ? plan : outside;
      const name = at ? `piece row-${at.row} column-${at.column}` : "piece";
      if (piece.node.parentNode !== list) list.append(piece.node);
      piece.node.className = name;
      piece.node.setAttribute("aria-label", words(piece));
      if (at) { rows = Math.max(rows, at.row + 1); columns = Math.max(columns, at.column + 1); }
    }
    // Room for one more row and column.
    end.className = `end row-${Math.min(rows, SIDE - 1)} column-${Math.min(columns, SIDE - 1)}`;
  }
  // Whoever stands there goes where the piece came from.
  function move(piece, to) {
    if (to && (to.row < 0 || to.column < 0 || to.row >= SIDE || to.column >= SIDE)) return;
    const from = place(piece);
    const other = to && pieces.find((one) => { const at = place(one); return one !== piece && at && at.row === to.row && at.column === to.column; });
    if (other) put(other, from);
    put(piece, to);
    show();
    said.textContent = words(piece);
  }
  function byKey(event, piece) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const at = place(piece);
    if (event.key === "Delete" && at) move(piece, null);
    else if (steps[event.key]) move(piece, at ? { row: at.row + steps[event.key][0], column: at.column + steps[event.key][1] } : firstFree());
    else return;
    event.preventDefault();
    piece.node.focus();
  }
  function firstFree() {
    const taken = new Set(pieces.map(place).filter(Boolean).map((at) => at.row * SIDE + at.column));
    for (let cell = 0; ; cell += 1) if (!taken.has(cell)) return { row: Math.floor(cell / SIDE), column: cell % SIDE };
  }
  function byPointer(event, piece) {
    if (event.button !== 0) return;
    const from = { x: event.clientX, y: event.clientY };
    const node = piece.node;
    node.setPointerCapture(event.pointerId);
    node.classList.add("dragged");
    const drag = (moved) => { node.style.transform = `translate(${moved.clientX - from.x}px, ${moved.clientY - from.y}px)`; };
    const drop = (dropped) => {
      node.removeEventListener("pointermove", drag);
      node.style.transform = "";
      node.classList.remove("dragged");
      if (dropped.type === "pointercancel" || Math.hypot(dropped.clientX - from.x, dropped.clientY - from.y) < 8) return;
      const inside = (box) => dropped.clientX >= box.left && dropped.clientX <= box.right && dropped.clientY >= box.top && dropped.clientY <= box.bottom;
      const room = plan.getBoundingClientRect();
      if (inside(room)) {
        // A cell and the gap behind it, in the page's own measure.
        const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
        move(piece, { row: Math.floor((dropped.clientY - room.top) / (4.4 * rem)), column: Math.floor((dropped.clientX - room.left) / (8.4 * rem)) });
      } else if (inside(outside.getBoundingClientRect())) move(piece, null);
    };
    node.addEventListener("pointermove", drag);
    for (const name of ["pointerup", "pointercancel"]) node.addEventListener(name, drop, { once: true });
  }
  document.getElementById("plan-part").hidden = false;
  if (!document.querySelector(".places .error")) document.getElementById("numbers").open = false;
  show();
})();
