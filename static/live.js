// What htmx polls: nothing while nobody looks or there is no network, at once when that is over.
// While the server does not answer, one line says since when the page is out of date.
"use strict";

const POLLS = "[hx-trigger*='every ']";
const stale = document.getElementById("stale");
const clock = new Intl.DateTimeFormat(document.documentElement.dataset.locale, {
  hour: "numeric", minute: "2-digit", timeZone: "UTC", timeZoneName: "short",
});
let fresh = Date.now();
let acted = 0; // when a press was answered; lists that were asked for before know nothing of it
let leaving = false; // a poll behind a log-out would be refused

const isPoll = (ctx) => ctx?.sourceElement?.matches(POLLS);
const asleep = () => document.hidden || !navigator.onLine || leaving;

function wake() {
  if (asleep()) return;
  for (const panel of document.querySelectorAll(POLLS)) {
    htmx.trigger(panel, "every", {}, false);
  }
}

function upToDate() {
  fresh = Date.now();
  if (navigator.onLine) stale.replaceChildren(); // else it is the last answer before the network went
}

function outOfDate() {
  const said = stale.firstChild; // not once more: a screen reader would read it again
  if (said || !document.querySelector(POLLS)) return;
  const line = document.createElement("p");
  line.textContent = stale.dataset.text.replace("{time}", clock.format(fresh));
  stale.append(line);
}

// htmx prevents what it sends itself: any other form takes the page away.
addEventListener("submit", (event) => { leaving = !event.defaultPrevented; });
addEventListener("pageshow", () => { leaving = false; });
document.addEventListener("visibilitychange", wake);
addEventListener("online", wake);
addEventListener("offline", outOfDate);

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  ctx.asked = performance.now();
  if (isPoll(ctx) && asleep()) event.preventDefault();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (!isPoll(ctx)) {
    acted = performance.now();
  } else if (ctx.response.status >= 500) {
    outOfDate();
    event.preventDefault(); // what a proxy says of it belongs in no panel
  } else {
    upToDate();
    if (ctx.sourceElement.id !== "live" || ctx.asked > acted) return;
    event.preventDefault(); // or what was dismissed would be back
    htmx.trigger(ctx.sourceElement, "every", {}, false);
  }
});

document.addEventListener("htmx:error", (event) => {
  if (isPoll(event.detail.ctx)) outOfDate();
});

// What a press has asked for is in sight, also where its panel stands far from the button. At once:
// what arrives during a smooth scroll ends it half way.
document.addEventListener("htmx:after:swap", (event) => {
  const { target, request } = event.detail.ctx;
  if (target?.id !== "activity" || request.method !== "POST") return;
  target.firstElementChild?.scrollIntoView({ block: "nearest" });
});
