"use strict";
// The floor: patches texts and classes of tiles; nothing of an update becomes markup.
(() => {
  const { words, aged, setText, now, open, onUpdate, onTick } = beltwatch;
  const byId = (id) => document.getElementById(id);
  const lists = { placed: byId("tiles"), unplaced: byId("others") };
  const needs = byId("needs");
  const alarm = byId("alarm");
  const filter = byId("filter");
  const LAST_STOP_RANK = 3;
  const tiles = new Map();
  const needed = new Map();
  let seen = null;

  const refs = (node) => {
    const find = (selector) => node.querySelector(selector);
    return { node, link: find("a"), name: find("h3"), status: find(".status b"), speed: find(".speed i"), incline: find(".incline"), why: find(".why"), more: find(".more"), was: find(".was"), tile: {} };
  };
  const needRefs = (node) => {
    const find = (selector) => node.querySelector(selector);
    return { node, link: find("h3 a"), status: find("h3 b"), why: find(".why"), more: find(".more"), form: find("form"), machine: find("[name=machine]"), stop: find("[name=stop_time]"), button: find("button"), error: find(".error") };
  };
  for (const node of document.querySelectorAll(".tile[data-id]")) {
    const one = refs(node);
    const { stopTime, rank, since, model, reversible } = node.dataset;
    one.tile = { id: node.dataset.id, stop: stopTime, rank: Number(rank), since: since && Number(since), model, reversible: reversible !== undefined, status: node.classList[1] };
    tiles.set(node.dataset.id, one);
  }
  for (const node of needs.children) needed.set(node.dataset.id, needRefs(node));

  function setStop(node, stop) {
    if (stop) { if (node.dataset.stopTime !== stop) node.dataset.stopTime = stop; } else if (node.dataset.stopTime) delete node.dataset.stopTime;
  }

  function place(one, tile) {
    const planned = tile.row !== null && tile.row !== undefined;
    one.place = planned ? ` row-${tile.row} column-${tile.column}` : " unplaced";
    const list = planned ? lists.placed : lists.unplaced;
    if (one.node.parentNode !== list) list.append(one.node);
    lists.placed.hidden = lists.placed.children.length === 0;
    byId("others-title").hidden = lists.placed.hidden || lists.unplaced.children.length === 0;
  }

  function show(update) {
    let one = tiles.get(update.id);
    if (!one) {
      one = refs(byId("tile").content.firstElementChild.cloneNode(true));
      one.node.dataset.id = update.id;
      one.link.href = "/machine/" + encodeURIComponent(update.id);
      tiles.set(update.id, one);
      byId("none")?.remove();
    }
    const before = one.tile;
    const fixed = update.name === undefined ? { name: before.name, model: before.model, reversible: before.reversible } : update;
    const tile = { ...update, name: fixed.name, model: fixed.model, reversible: fixed.reversible };
    if (update.name !== undefined) { setText(one.name, update.name); place(one, update); }
    const name = `tile ${tile.status} ${tile.direction}${one.place ?? ""}`;
    if (one.node.className !== name) one.node.className = name;
    setText(one.status, tile.status_words);
    setText(one.speed, tile.speed || "–");
    setText(one.incline, tile.incline ?? "");
    setText(one.why, aged(tile.why, tile.since));
    setText(one.more, tile.more ?? "");
    setText(one.was, tile.was ?? "");
    setStop(one.node, tile.stop);
    one.tile = tile;
    const isNew = Boolean(tile.stop) && tile.stop !== before.stop;
    showNeed(tile, isNew);
    if (isNew) announce(tile);
    if (isFiltered()) fit(one);
  }

  function showNeed(tile, isNew) {
    let one = needed.get(tile.id);
    if (tile.rank > LAST_STOP_RANK) {
      if (one) { one.node.remove(); needed.delete(tile.id); }
      return;
    }
    if (!one) {
      one = needRefs(byId("need").content.firstElementChild.cloneNode(true));
      one.node.dataset.id = tile.id;
      one.link.href = "/machine/" + encodeURIComponent(tile.id);
      if (one.machine) one.machine.value = tile.id;
      needed.set(tile.id, one);
    }
    const name = `need ${tile.status}${isNew ? " new" : ""}`;
    if (isNew || !one.node.classList.contains(tile.status)) one.node.className = name;
    setText(one.link, tile.name);
    setText(one.status, tile.status_words);
    setText(one.why, aged(tile.why, tile.since));
    setText(one.more, tile.more ?? "");
    setStop(one.node, tile.stop);
    if (one.form) {
      one.form.hidden = !tile.stop;
      if (one.stop.value !== (tile.stop ?? "")) { one.stop.value = tile.stop ?? ""; one.button.disabled = false; setText(one.error, ""); }
    }
    one.tile = tile;
    // The one that needs somebody most is first; the one that waits longest among equals.
    const key = [tile.rank, tile.since ?? 0];
    if (one.key && one.key[0] === key[0] && one.key[1] === key[1] && one.node.parentNode) return;
    one.key = key;
    const after = [...needed.values()].find((other) => other !== one && other.key && other.node.parentNode && (other.key[0] - key[0] || other.key[1] - key[1]) > 0);
    needs.insertBefore(one.node, after ? after.node : null);
  }

  function announce(tile) {
    alarm.textContent = words.newStop.replace("{machine}", () => tile.name).replace("{status}", () => tile.status_words);
    beep();
  }

  function settle() {
    byId("nobody").hidden = needed.size > 0;
    document.title = (needed.size ? `(${needed.size}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  }

  onUpdate((update) => {
    if (update.begins) seen = new Set();
    for (const tile of update.tiles ?? []) { show(tile); seen?.add(tile.id); }
    if (update.completes && seen) {
      for (const [id, one] of tiles) if (!seen.has(id)) { one.node.remove(); tiles.delete(id); needed.get(id)?.node.remove(); needed.delete(id); }
      seen = null;
    }
    if (update.pages !== undefined) setText(byId("pages"), byId("pages").dataset.text.replace("{n}", update.pages));
    if (update.tiles) { settle(); if (isFiltered()) count(); }
  });
  const clock = byId("clock");
  const siteTime = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: clock.dataset.zone });
  onTick(() => {
    setText(clock, clock.dataset.text.replace("{time}", siteTime.format(now())));
    for (const one of tiles.values()) if (one.tile.why) setText(one.why, aged(one.tile.why, one.tile.since));
    for (const one of needed.values()) if (one.tile) setText(one.why, aged(one.tile.why, one.tile.since));
    if (isFiltered()) fitAll();
  });

  // "I have seen to it"
  needs.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button");
    const error = form.querySelector(".error");
    button.disabled = true;
    error.textContent = "";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" } });
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(answer.headers.get("content-type")?.startsWith("text/plain") ? await answer.text() : words.seenFailed);
    } catch (failure) {
      error.textContent = failure instanceof TypeError ? words.seenFailed : failure.message;
      button.disabled = false;
    }
  });

  // Sound for a new stop. Browsers allow it only after somebody has pressed something.
  const sound = byId("sound");
  let audio = null;
  sound.hidden = false;
  sound.addEventListener("click", () => {
    const on = sound.getAttribute("aria-pressed") !== "true";
    sound.setAttribute("aria-pressed", on);
    sound.textContent = on ? sound.dataset.on : sound.dataset.off;
    if (on) { audio ??= new AudioContext(); audio.resume(); beep(); }
  });
  function beep() {
    if (!audio || sound.getAttribute("aria-pressed") !== "true") return;
    for (const [at, pitch] of [[0, 880], [0.22, 660], [0.44, 880]]) {
      const tone = new OscillatorNode(audio, { frequency: pitch });
      const level = new GainNode(audio, { gain: 0.25 });
      tone.connect(level).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.18);
    }
  }

  // Filters, kept in the address. What needs somebody is never filtered away.
  const wanted = () => { const value = Object.fromEntries(new FormData(filter)); value.free = Number(value.free) || 0; return value; };
  let want = { model: "", status: "", free: 0 };
  const isFiltered = () => Boolean(want.model || want.status || want.free || want.reversible);
  function fit(one) {
    const tile = one.tile;
    const free = !want.free || (tile.status === "free" && tile.since !== undefined && now() - tile.since >= want.free * 60000);
    const fits = (!want.model || tile.model === want.model) && (!want.status || tile.status === want.status) && (!want.reversible || tile.reversible) && free;
    if (one.node.hidden === fits) one.node.hidden = !fits;
  }
  function count() {
    let shown = 0;
    for (const one of tiles.values()) if (!one.node.hidden) shown += 1;
    setText(byId("shown"), isFiltered() ? words.shown.replace("{shown}", shown).replace("{all}", tiles.size) : "");
  }
  function fitAll() { for (const one of tiles.values()) fit(one); count(); }
  function changed() {
    want = wanted();
    fitAll();
    const query = new URLSearchParams([...new FormData(filter)].filter(([, value]) => value));
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  }
  const query = new URLSearchParams(location.search);
  for (const field of filter.elements) {
    if (!field.name || !query.has(field.name)) continue;
    if (field.type === "checkbox") field.checked = true; else field.value = query.get(field.name);
  }
  want = wanted();
  byId("filters").hidden = false;
  byId("filters").open = isFiltered();
  fitAll();
  filter.addEventListener("input", changed);
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("reset", () => setTimeout(changed));

  open();
})();
