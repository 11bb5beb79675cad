// What the page weighed, and when it was there. The stream of changes has not ended, so it does not count.
const page = performance.getEntriesByType('navigation')[0];
const parts = performance.getEntriesByType('resource');
const paint = performance.getEntriesByName('first-contentful-paint')[0];
return {
  bytes: page.transferSize + parts.reduce((sum, part) => sum + part.transferSize, 0),
  requests: 1 + parts.length,
  page_bytes: page.transferSize,
  page_bytes_plain: page.decodedBodySize,
  paint_ms: Math.round(paint.startTime),
  loaded_ms: Math.round(page.loadEventEnd),
};
