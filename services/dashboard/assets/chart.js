"use strict";
// A chart of signed speed by time: forward above zero, reverse below, dashed where the direction is not known.
// `words` has zone, unit, signed and unknown; `range` says what span of seconds is shown; `hooks` are those of uPlot.
const beltChart = (box, words, range, hooks = {}) => {
  const HEIGHT = 270;
  // Times; speed with its sign where the direction is known; speed without where it is not.
  let points = [[], [], []];
  let chart = null;

  // Forward above zero and reverse below, each in its colour.
  function signedStroke(self) {
    const { top, height } = self.bbox;
    const zero = Math.min(1, Math.max(0, (self.valToPos(0, "y", true) - top) / height));
    if (!Number.isFinite(zero)) return beltChart.colour("--forward");
    const gradient = self.ctx.createLinearGradient(0, top, 0, top + height);
    for (const [at, name] of [[0, "--forward"], [zero, "--forward"], [zero, "--reverse"], [1, "--reverse"]]) gradient.addColorStop(at, beltChart.colour(name));
    return gradient;
  }

  function draw() {
    chart?.destroy();
    const { colour } = beltChart;
    const language = document.documentElement.lang;
    const time = new Intl.DateTimeFormat(language, { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: words.zone });
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const axis = { stroke: colour("--ink"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "13px system-ui, sans-serif" };
    const line = { width: 2.5, spanGaps: false, points: { show: false } };
    chart = new uPlot({
      width: box.clientWidth, height: HEIGHT, padding: [12, 36, 0, 0], legend: { show: false }, cursor: { show: false }, hooks,
      scales: {
        x: { time: true, range },
        y: { range: (self, low, high) => [Math.min(0, (low ?? 0) * 1.1), Math.max(5, (high ?? 0) * 1.1)] },
      },
      axes: [
        { ...axis, space: 80, values: (self, ticks) => ticks.map((tick) => time.format(tick * 1000)) },
        { ...axis, size: 60, values: (self, ticks) => ticks.map((tick) => number.format(tick)), label: words.unit, labelSize: 18, labelFont: "13px system-ui, sans-serif" },
      ],
      series: [
        {},
        { ...line, label: words.signed, stroke: signedStroke },
        { ...line, label: words.unknown, stroke: colour("--unknown"), dash: [8, 6] },
      ],
    }, points, box);
  }

  function show(shown) {
    points = shown;
    chart.setData(points);
  }

  draw();
  new ResizeObserver(() => { if (box.clientWidth !== chart.width) chart.setSize({ width: box.clientWidth, height: HEIGHT }); }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  return { show };
};
beltChart.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
