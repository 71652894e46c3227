// <ledger-chart>: draws the points in data-points with uPlot. A table next to it has the same data.
//
// As a custom element it redraws itself when a swap changes its points. For the keyboard and screen
// readers the plot is a slider: arrow keys move from point to point, and each point is read out in
// the page's language.
"use strict";

const LOCALE = document.documentElement.dataset.locale; // of numbers
const LANGUAGE = document.documentElement.lang; // of texts, and so of dates
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -Infinity, End: Infinity };

const asDay = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeZone: "UTC" });
const asMonth = new Intl.DateTimeFormat(LANGUAGE, { month: "short", timeZone: "UTC" });

function asMoney(currency) {
  try {
    return new Intl.NumberFormat(LOCALE, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  } catch {
    // Not a currency of ISO 4217, such as points or coins: a number with the code after it.
    const plain = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 8 });
    return { format: (value) => `${plain.format(value)} ${currency}` };
  }
}

class LedgerChart extends HTMLElement {
  static observedAttributes = ["data-points"];

  connectedCallback() {
    this.plot = this.querySelector(".plot");
    this.readout = this.querySelector("output");
    this.plot.role = "slider"; // set here, because without JavaScript it does not work as one
    this.plot.tabIndex = 0;
    this.plot.ariaLabel = this.plot.dataset.label;
    this.plot.addEventListener("keydown", (event) => this.step(event));
    this.plot.addEventListener("blur", () => this.rest());
    this.watchSize = new ResizeObserver(() => this.resize());
    this.watchSize.observe(this.plot);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.isConnected && this.draw();
    this.scheme.addEventListener("change", this.redraw);
    this.watchTheme = new MutationObserver(this.redraw);
    this.watchTheme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.draw();
    document.fonts.ready.then(this.redraw); // a canvas keeps the font it was drawn with
  }

  disconnectedCallback() {
    this.watchSize.disconnect();
    this.watchTheme.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
    this.chart?.destroy();
    this.chart = undefined;
  }

  attributeChangedCallback() {
    if (this.chart) this.draw();
  }

  draw() {
    const points = JSON.parse(this.dataset.points);
    this.money = asMoney(points.currency);
    this.dates = points.dates.map((date) => Date.parse(`${date}T00:00:00Z`) / 1000);
    this.names = points.series.map((series) => series.name);
    this.values = points.series.map((series) => series.values.map(Number));
    this.bars = this.dataset.chart === "bars";
    this.estimated = points.estimated || 0;
    this.mark = points.mark;
    this.chart?.destroy();
    this.chart = new uPlot(this.options(), this.bars ? [this.dates.map((_, index) => index), ...this.values] : [this.dates, ...this.parts()], this.plot);
    this.plot.setAttribute("aria-valuemin", 0);
    this.plot.setAttribute("aria-valuemax", this.dates.length - 1);
    this.describe(this.dates.length - 1);
    this.rest();
  }

  // The line in two parts: the estimated points up to the first exact one, and the exact points.
  parts() {
    const [line] = this.values;
    return [line.map((value, index) => (index <= this.estimated && this.estimated ? value : null)), line.map((value, index) => (index >= this.estimated ? value : null))];
  }

  options() {
    const dim = this.color("var(--dim)");
    const accent = this.color("var(--accent)");
    const quiet = this.color("color-mix(in srgb, var(--ink) 26%, var(--paper))");
    const font = `12px ${getComputedStyle(this).fontFamily}`;
    const series = this.bars
      ? [this.barSeries(accent, -1), this.barSeries(quiet, 1)]
      : [{ ...this.lineSeries(accent, 5), width: 1.5, dash: [5, 4] }, { ...this.lineSeries(accent, 12), width: 2 }];
    return {
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !this.bars, size: 8, fill: accent, stroke: accent } },
      hooks: { setCursor: [(chart) => this.show(chart.cursor.idx)] },
      scales: {
        x: this.bars ? { time: false, range: [-0.5, this.dates.length - 0.5] } : { time: false },
        y: { range: (_, low, high) => this.range(low, high) },
      },
      series: [{}, ...series],
      axes: [
        { stroke: dim, font, grid: { show: false }, ticks: { show: false }, size: 28, gap: 8, splits: () => this.splits(), values: (_, at) => at.map((x) => asMonth.format((this.bars ? this.dates[x] : x) * 1000)) },
        { show: false },
      ],
    };
  }

  lineSeries(stroke, percent) {
    const fill = this.color(`color-mix(in srgb, var(--accent) ${percent}%, transparent)`);
    return { stroke, fill, fillTo: (chart) => chart.scales.y.min, points: { show: false } };
  }

  barSeries(fill, align) {
    return { fill, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.42, 24], align, gap: 2, radius: 0.12 }) };
  }

  range(low, high) {
    if (this.bars) return [0, high || 1];
    const room = (high - low || Math.abs(high) || 1) * 0.08;
    return [low - 2 * room, high + room];
  }

  // One label per month, but at most about six.
  splits() {
    if (this.bars) return this.dates.map((_, index) => index);
    const firsts = this.dates.filter((date) => new Date(date * 1000).getUTCDate() === 1);
    const every = Math.ceil(firsts.length / 6);
    return firsts.filter((_, index) => index % every === 0);
  }

  // A canvas can't resolve custom properties, so the color is read back from an element's style.
  color(expression) {
    this.plot.style.accentColor = expression;
    const color = getComputedStyle(this.plot).accentColor;
    this.plot.style.accentColor = "";
    return color;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (this.chart && width && (width !== this.chart.width || height !== this.chart.height)) this.chart.setSize({ width, height });
  }

  show(index) {
    if (index === null || index === undefined) return;
    this.describe(index);
    this.readout.value = this.plot.getAttribute("aria-valuetext");
  }

  describe(index) {
    const when = this.bars ? `${asMonth.format(this.dates[index] * 1000)}` : asDay.format(this.dates[index] * 1000);
    const amounts = this.values.map((values, series) => [this.names[series], this.money.format(values[index]).replace("-", "\u2212")].filter(Boolean).join(" "));
    this.plot.setAttribute("aria-valuenow", index);
    const estimate = index < this.estimated ? ` (${this.mark})` : "";
    this.plot.setAttribute("aria-valuetext", `${when}: ${amounts.join(", ")}${estimate}`);
  }

  rest() {
    this.readout.value = "";
    this.chart?.setCursor({ left: -10, top: -10 });
  }

  step(event) {
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    const last = this.dates.length - 1;
    const next = Math.min(last, Math.max(0, Number(this.plot.getAttribute("aria-valuenow")) + STEPS[event.key]));
    this.chart.setCursor({ left: this.chart.valToPos(this.bars ? next : this.dates[next], "x"), top: 0 });
    this.show(next);
  }
}

customElements.define("ledger-chart", LedgerChart);
