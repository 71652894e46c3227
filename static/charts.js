// <ledger-chart>: draws the points in data-points with uPlot. A table next to it has the same data.
//
// The scale names the lowest and the highest value. A line is filled down to zero if zero is in its
// range, and not at all otherwise: a fill that ends elsewhere makes small differences look large.
//
// As a custom element it redraws itself when a swap changes its points. For the keyboard and screen
// readers the plot is a slider: arrow keys move from point to point, and each point is read out in
// the page's language.
"use strict";

const LOCALE = document.documentElement.dataset.locale; // of numbers
const LANGUAGE = document.documentElement.lang; // of texts, and so of dates
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -Infinity, End: Infinity };

const SMALLEST_SPAN = 0.1; // the height of the scale is at least this part of the largest amount
const LABELS_APART = 15; // pixels
const WIDEST_DATE = 84; // pixels
const HALF_A_DATE = 20; // pixels; of one without a year
const DAY = 86_400; // seconds
const DAYS_APART = [1, 2, 7, 14];
const MONTHS_APART = [1, 2, 3, 6, 12, 24, 60, 120, 240];

const asDate = (parts) => {
  const format = new Intl.DateTimeFormat(LANGUAGE, { ...parts, timeZone: "UTC" });
  return (seconds) => format.format(seconds * 1000);
};
const asDay = asDate({ dateStyle: "long" });
const asMonth = asDate({ month: "short" });
const asMonthOfYear = asDate({ month: "short", year: "numeric" });
const asLongMonth = asDate({ month: "long", year: "numeric" });
const asYear = asDate({ year: "numeric" });
const asShortDay = asDate({ month: "short", day: "numeric" });
const asDayOfYear = asDate({ month: "short", day: "numeric", year: "numeric" });

function asMoney(currency, digits = {}) {
  const format = moneyFormat(currency, digits);
  return (value) => format(value).replace("-", "\u2212");
}

function moneyFormat(currency, digits) {
  try {
    const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...digits });
    return (value) => format.format(value);
  } catch {
    // Not a currency of ISO 4217, such as points or coins: a number with the code after it.
    const plain = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 8 });
    return (value) => `${plain.format(value)} ${currency}`;
  }
}

// The first seconds of days or months of the calendar, such as every Monday or every quarter.
function calendar(first, last, most) {
  const days = (last - first) / DAY;
  const everyDays = DAYS_APART.find((step) => days / step < most);
  return days < 62 && everyDays ? daysBetween(first, last, everyDays) : monthsBetween(first, last, MONTHS_APART.find((step) => days / 30 / step < most));
}

function daysBetween(first, last, step) {
  const monday = 4 * DAY; // January 5, 1970
  const found = [];
  for (let day = monday + Math.ceil((first - monday) / DAY / step) * DAY * step; day <= last; day += DAY * step) found.push(day);
  return found;
}

function monthsBetween(first, last, step) {
  const begin = new Date(first * 1000);
  const number = begin.getUTCFullYear() * 12 + begin.getUTCMonth();
  const found = [];
  for (let month = Math.floor(number / step) * step; ; month += step) {
    const day = Date.UTC(Math.floor(month / 12), month % 12, 1) / 1000;
    if (day > last) return found;
    if (day >= first) found.push(day);
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
    this.wholeMoney = asMoney(points.currency, { maximumFractionDigits: 0 });
    this.dates = points.dates.map((date) => Date.parse(`${date}T00:00:00Z`) / 1000);
    this.names = points.series.map((series) => series.name);
    this.values = points.series.map((series) => series.values.map(Number));
    this.bars = this.dataset.chart === "bars";
    this.estimated = points.estimated || 0;
    this.mark = points.mark;
    const all = this.values.flat();
    [this.lowest, this.highest] = [Math.min(...all), Math.max(...all)];
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
        y: { range: () => this.range() },
      },
      series: [{}, ...series],
      axes: [
        { stroke: dim, font, grid: { show: false }, ticks: { show: false }, size: 28, gap: 8, splits: () => this.splits(), values: (_, at) => this.namesOf(this.bars ? at.map((x) => this.dates[x]) : at) },
        { stroke: dim, font, grid: { show: false }, ticks: { show: false }, gap: 8, size: (_, labels) => this.widthOf(labels, font), splits: () => this.scale().map(([at]) => at), values: () => this.scale().map(([, label]) => label) },
      ],
    };
  }

  lineSeries(stroke, percent) {
    const [bottom, top] = this.range();
    const fill = bottom <= 0 && top >= 0 ? this.color(`color-mix(in srgb, var(--accent) ${percent}%, transparent)`) : undefined;
    return { stroke, fill, fillTo: 0, points: { show: false } };
  }

  barSeries(fill, align) {
    return { fill, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.42, 24], align, gap: 2, radius: 0.12 }) };
  }

  // The lowest and the highest value with some room. If zero is near, the scale begins there.
  range() {
    const { lowest: low, highest: high } = this;
    if (this.bars) return [0, high || 1];
    const span = Math.max(high - low, SMALLEST_SPAN * Math.max(Math.abs(low), Math.abs(high))) || 1;
    const bottom = (low + high - span) / 2 - 0.1 * span;
    const top = (low + high + span) / 2 + 0.1 * span;
    if (low >= 0) return [bottom < 0.2 * span ? 0 : bottom, top];
    return [bottom, high <= 0 && top > -0.2 * span ? 0 : top];
  }

  // The labels of the scale and where they are. Two that would overlap are moved apart.
  scale() {
    const [bottom, top] = this.range();
    const apart = (LABELS_APART / Math.max(this.plot.clientHeight - 36, 1)) * (top - bottom);
    const low = this.bars ? 0 : this.lowest;
    const high = this.highest;
    if (low === high) return [[low, this.money(low)]];
    const labels = this.labelsOf([low, high]);
    const nudge = Math.max(apart - (high - low), 0) / 2;
    const zero = low < -apart && high > apart ? [[0, this.labelsOf([0])[0]]] : [];
    return [[low - nudge, labels[0]], ...zero, [high + nudge, labels[1]]];
  }

  // Without cents, unless they matter.
  labelsOf(amounts) {
    const whole = amounts.map(this.wholeMoney);
    const isRough = Math.max(-this.lowest, this.highest) < 100 || new Set(whole).size < amounts.length;
    return isRough ? amounts.map(this.money) : whole;
  }

  widthOf(labels, font) {
    const context = document.createElement("canvas").getContext("2d");
    context.font = font;
    return Math.ceil(Math.max(0, ...(labels || []).map((label) => context.measureText(label).width))) + 12;
  }

  splits() {
    if (this.bars) return this.dates.map((_, index) => index);
    const [first, last, width] = [this.dates[0], this.dates.at(-1), this.plot.clientWidth];
    const days = calendar(first, last, Math.max(2, Math.floor(width / WIDEST_DATE)));
    const end = last - ((last - first) * HALF_A_DATE) / width; // names after it would be cut off
    return days.filter((day, index) => index === 0 || day <= end);
  }

  // Names of days, months or years; the first and those of a new year with the year.
  namesOf(dates) {
    const month = (date) => new Date(date * 1000).getUTCMonth();
    const year = (date) => new Date(date * 1000).getUTCFullYear();
    const isFirst = (date) => new Date(date * 1000).getUTCDate() === 1;
    if (dates.length > 1 && dates.every((date) => isFirst(date) && month(date) === 0)) return dates.map(asYear);
    const [withYear, without] = dates.every(isFirst) ? [asMonthOfYear, asMonth] : [asDayOfYear, asShortDay];
    return dates.map((date, index) => (index === 0 || year(date) !== year(dates[index - 1]) ? withYear : without)(date));
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
    const when = (this.bars ? asLongMonth : asDay)(this.dates[index]);
    const amounts = this.values.map((values, series) => [this.names[series], this.money(values[index])].filter(Boolean).join(" "));
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
