// Counts how often the page changes, which machines change on it, and the longest time between two frames.
const machines = new Set();
const found = { callbacks: 0, machines: 0, frame_ms_max: 0 };
new MutationObserver((changes) => {
  found.callbacks += 1;
  for (const change of changes) {
    const element = change.target.nodeType === Node.ELEMENT_NODE ? change.target : change.target.parentElement;
    const machine = element?.closest('[data-id]')?.dataset.id;
    if (machine) machines.add(machine);
    for (const added of change.addedNodes) {
      const inner = added.dataset?.machine ?? added.querySelector?.('[data-id]')?.dataset.id;
      if (inner) machines.add(inner);
    }
  }
  found.machines = machines.size;
}).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
let last = performance.now();
const frame = (now) => {
  found.frame_ms_max = Math.max(found.frame_ms_max, Math.round(now - last));
  last = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
window.beltwatchChanges = found;
