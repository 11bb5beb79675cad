// Notes when each stop is first painted: after a change of the page, the next frame is waited for, and then the first
// task after it. Times are milliseconds since 1970.
const known = new Map();
const painted = [];
const scan = () => {
  const fresh = [];
  for (const tile of document.querySelectorAll('[data-stop-time]')) {
    const machine = tile.closest('[data-id]')?.dataset.id ?? '';
    const stop = tile.dataset.stopTime;
    if (stop && known.get(machine) !== stop) {
      known.set(machine, stop);
      fresh.push([machine, stop]);
    }
  }
  return fresh;
};
scan();
const waiting = [];
const after = new MessageChannel();
after.port1.onmessage = () => {
  const now = performance.timeOrigin + performance.now();
  for (const [machine, stop] of waiting.splice(0)) painted.push([machine, stop, now]);
};
new MutationObserver(() => {
  const fresh = scan();
  if (fresh.length === 0) return;
  requestAnimationFrame(() => {
    waiting.push(...fresh);
    after.port2.postMessage(0);
  });
}).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-stop-time'] });
window.beltwatchPainted = painted;
return true;
