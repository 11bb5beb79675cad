// Whether the answer with what the page's chart shows has come. A page without a chart waits for none.
(() => {
  const asked = document.querySelector('[data-trace]')?.dataset.trace || document.querySelector('[data-readings]')?.dataset.readings;
  return !asked || performance.getEntriesByType('resource').some((entry) => entry.name.endsWith(asked) && entry.responseEnd > 0);
})()
