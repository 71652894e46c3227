// <ledger-chart>: says what a chart shows where the pointer, the finger or the arrow keys are. The
// server has drawn the chart, and a table next to it has the same data.
//
// A line is a slider for the keyboard and screen readers: arrow keys move from point to point, and
// each is read out in the page's language. The months of bars are links, which arrow keys move between.
"use strict";

const LOCALE = document.documentElement.dataset.locale; // of numbers
const LANGUAGE = document.documentElement.lang; // of texts, and so of dates
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 30, PageDown: -30, Home: -Infinity, End: Infinity };
const LONG_DAY = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeZone: "UTC" });

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Amounts are texts, which browsers format digit by digit.
function moneyFormat(currency) {
  const even = { roundingMode: "halfEven" };
  try {
    const format = new Intl.NumberFormat(LOCALE, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...even });
    return (value) => format.format(value).replace("-", "\u2212");
  } catch {
    // Not a currency of ISO 4217, such as points or coins: a number with the code after it.
    const plain = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: currency ? 0 : 2, maximumFractionDigits: currency ? 8 : 2, ...even });
    return (value) => `${plain.format(value)} ${currency}`.trim().replace("-", "\u2212");
  }
}

function make(name, className) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

class LedgerChart extends HTMLElement {
  static observedAttributes = ["data-points"];

  connectedCallback() {
    this.readout = this.querySelector(".readout");
    this.scrub = this.querySelector(".scrub");
    this.addEventListener("pointerleave", (event) => event.pointerType === "touch" || this.rest());
    this.addEventListener("focusout", () => this.rest());
    this.addEventListener("keydown", (event) => this.step(event));
    if (this.scrub) this.beSlider();
    else this.followMonths();
  }

  attributeChangedCallback() {
    if (this.cursor) this.read();
  }

  // Show a text at `x` of the plot's width, on the side that the point at `y` is not on.
  say(x, y, ...lines) {
    this.readout.replaceChildren(...lines.map((text, index) => Object.assign(make(index ? "span" : "strong", ""), { textContent: text })));
    this.readout.classList.add("shown");
    this.readout.classList.toggle("below", y < 0.5);
    const plot = this.querySelector(".plot").getBoundingClientRect();
    const own = this.readout.offsetWidth;
    const at = plot.left - this.getBoundingClientRect().left + x * plot.width;
    const left = this.scrub ? at + (x > 0.5 ? -own - 8 : 8) : at - own / 2;
    this.readout.style.left = `${clamp(left, 0, Math.max(this.clientWidth - own, 0))}px`;
  }

  rest() {
    this.readout.classList.remove("shown");
    this.cursor?.classList.remove("shown");
    this.shown = undefined;
  }

  step(event) {
    if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (this.scrub) this.show(clamp(this.at + STEPS[event.key], 0, this.days.length - 1));
    else {
      const months = [...this.querySelectorAll("a")];
      months[clamp(months.indexOf(document.activeElement) + STEPS[event.key], 0, months.length - 1)].focus();
    }
  }

  // Bars

  followMonths() {
    const monthOf = (event) => event.target.closest("a");
    const tell = (event) => this.tell(monthOf(event));
    this.addEventListener("pointerover", (event) => event.pointerType === "mouse" && tell(event));
    this.addEventListener("focusin", tell);
    // The first touch shows the month, the second follows the link.
    this.addEventListener("pointerdown", (event) => { this.touched = event.pointerType === "touch" && this.shown !== monthOf(event); });
    this.addEventListener("click", (event) => {
      if (!this.touched || !monthOf(event)) return;
      event.preventDefault();
      this.touched = false;
      tell(event);
    });
  }

  tell(month) {
    if (!month) return this.rest();
    this.shown = month;
    const plot = this.querySelector(".plot").getBoundingClientRect();
    const column = month.querySelector(".column").getBoundingClientRect();
    this.say((column.left + column.width / 2 - plot.left) / plot.width, 1, month.getAttribute("aria-label"));
  }

  // Lines

  beSlider() {
    this.cursor = this.scrub.querySelector(".cursor") || this.scrub.appendChild(make("div", "cursor"));
    this.dot = this.cursor.querySelector(".dot") || this.cursor.appendChild(make("div", "dot"));
    this.scrub.role = "slider"; // set here, because without JavaScript it does not work as one
    this.scrub.tabIndex = 0;
    this.scrub.ariaLabel = this.scrub.dataset.label;
    this.scrub.setAttribute("aria-description", this.scrub.dataset.hint);
    const follow = (event) => {
      this.readout.style.pointerEvents = event.pointerType === "touch" ? "auto" : ""; // never in a mouse's way
      this.show(this.nearest(event));
    };
    this.scrub.addEventListener("pointermove", follow);
    this.scrub.addEventListener("pointerdown", follow);
    this.scrub.addEventListener("click", (event) => { if (event.pointerType !== "touch") this.readout.click(); });
    this.scrub.addEventListener("keydown", (event) => { if (event.key === "Enter") this.readout.click(); });
    // So that a touch of the text follows its link before the focus leaves the line.
    this.readout.addEventListener("pointerdown", (event) => event.preventDefault());
    this.read();
  }

  read() {
    this.points = JSON.parse(this.dataset.points);
    this.money = moneyFormat(this.points.currency);
    const moment = (day) => Date.parse(`${day}T00:00:00Z`);
    this.days = this.points.days.map(moment);
    this.until = this.points.until ? moment(this.points.until) : this.days.at(-1); // where the scale ends
    this.scrub.setAttribute("aria-valuemin", 0);
    this.scrub.setAttribute("aria-valuemax", this.days.length - 1);
    this.rest();
    this.describe(this.days.length - 1);
  }

  x(index) {
    const [first, last] = [this.days[0], this.until];
    return last > first ? (this.days[index] - first) / (last - first) : 1;
  }

  nearest(event) {
    const box = this.scrub.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    let [low, high] = [0, this.days.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.x(middle) < x) low = middle;
      else high = middle;
    }
    return x - this.x(low) < this.x(high) - x ? low : high;
  }

  describe(index) {
    this.at = index;
    const [day, amount] = [LONG_DAY.format(this.days[index]), this.money(this.points.values[index])];
    this.readout.href = this.dataset.explanation.replace("the-day", this.points.days[index]);
    const when = index < this.points.estimated ? `${day} (${this.points.mark})` : day;
    const texts = [amount, when, this.points.notes?.[index]].filter(Boolean);
    this.scrub.setAttribute("aria-valuenow", index);
    this.scrub.setAttribute("aria-valuetext", texts.join(", "));
    return texts;
  }

  show(index) {
    const texts = this.describe(index);
    const { top, bottom, values } = this.points;
    const [x, y] = [this.x(index), (top - values[index]) / (top - bottom)];
    this.cursor.style.left = `${x * 100}%`;
    this.dot.style.top = `${y * 100}%`;
    this.cursor.classList.add("shown");
    this.say(x, y, ...texts);
  }
}

customElements.define("ledger-chart", LedgerChart);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const chart of document.querySelectorAll("ledger-chart")) chart.rest();
});
