// Controls what htmx polls. Polling stops while the tab is hidden or offline, and resumes at once.
// While the server does not answer, one line says how old the page's data is.
"use strict";

const POLLS = "[hx-trigger*='every ']";
const stale = document.getElementById("stale");
const clock = clockIn(stale.dataset.timeZone);
let lastAnswer = Date.now();
let lastAction = 0; // when an action was answered; a list requested before that is out of date
let leaving = false; // another page is loading; after a log-out, a poll would be refused

// Writes times as the page does: in its language, and in the person's time zone.
function clockIn(timeZone) {
  const parts = { hour: "numeric", minute: "2-digit", timeZoneName: timeZone === "UTC" ? "short" : undefined };
  try {
    return new Intl.DateTimeFormat(document.documentElement.lang, { ...parts, timeZone });
  } catch {
    return new Intl.DateTimeFormat(document.documentElement.lang, parts); // a zone newer than this browser
  }
}

const isPoll = (ctx) => ctx?.sourceElement?.matches(POLLS);
const isPress = (ctx) => ctx.request?.method === "POST" || ctx.target?.id === "sheet-content";
const isPaused = () => document.hidden || !navigator.onLine || leaving;

function pollNow() {
  if (isPaused()) return;
  for (const panel of document.querySelectorAll(POLLS)) {
    htmx.trigger(panel, "every", {}, false);
  }
}

function upToDate() {
  lastAnswer = Date.now();
  if (navigator.onLine) stale.replaceChildren(); // when offline, this answer left before the network did
}

function outOfDate() {
  const isShown = stale.firstChild; // a screen reader would read a new line again
  if (isShown || !document.querySelector(POLLS)) return;
  const line = document.createElement("p");
  line.textContent = stale.dataset.text.replace("{time}", clock.format(lastAnswer));
  stale.append(line);
}

// htmx prevents the default of the forms that it sends. Any other form loads another page.
addEventListener("submit", (event) => { leaving = !event.defaultPrevented; });
addEventListener("pageshow", () => { leaving = false; });
document.addEventListener("visibilitychange", pollNow);
addEventListener("online", pollNow);
addEventListener("offline", outOfDate);

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  ctx.requestedAt = performance.now();
  if (isPoll(ctx) && isPaused()) event.preventDefault();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (!isPoll(ctx)) {
    lastAction = performance.now();
    if (ctx.response.status < 500 || ctx.hx.retarget) return;
    event.preventDefault(); // a proxy's: our own errors say where they belong
    if (isPress(ctx)) sayUnsent();
  } else if (ctx.response.status >= 500) {
    outOfDate();
    event.preventDefault(); // a proxy's error page does not belong in a panel
  } else {
    upToDate();
    if (ctx.sourceElement.id !== "live" || ctx.requestedAt > lastAction) return;
    event.preventDefault(); // this list is older than the action: it would undo a dismissal
    htmx.trigger(ctx.sourceElement, "every", {}, false);
  }
});

// A list with panels may have been requested before a panel changed. Then the panel stays as it is:
// otherwise it would go back, and a screen reader would hear its result twice.
htmx.registerExtension("newer-panels", {
  htmx_before_morph_node: (_element, { oldNode, newNode }) =>
    !(Number(oldNode.dataset?.revision) > Number(newNode.dataset?.revision)), // both are of one id
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (isPoll(ctx)) outOfDate();
  else if (ctx && !ctx.response && isPress(ctx)) sayUnsent();
});

// A press that went nowhere. Its button works again.
function sayUnsent() {
  const line = document.createElement("p");
  line.className = "notice trouble";
  line.textContent = navigator.onLine ? stale.dataset.unanswered : stale.dataset.offline;
  document.getElementById("notice").replaceChildren(line);
}

// An open dialog hides what the page under it says, so notices are in the dialog while it is open.
document.addEventListener("toggle", (event) => {
  if (!event.target.matches("dialog")) return;
  const place = document.querySelector("dialog:modal") ?? document.getElementById("main");
  place.prepend(document.getElementById("notice"));
}, true); // it does not bubble

// Scroll the panel of a new pull into view, because it may be far from the button. Not smoothly:
// content that arrives meanwhile would stop a smooth scroll half way. If a pull was under way for
// the same button, its panel may be there already.
document.addEventListener("htmx:after:swap", (event) => {
  const { target, request } = event.detail.ctx;
  if (target?.id !== "activity" || request.method !== "POST") return;
  const panel = target.firstElementChild;
  for (const other of target.querySelectorAll(`:scope > [id="${panel?.id}"]`)) {
    if (other !== panel) other.remove();
  }
  panel?.scrollIntoView({ block: "nearest" });
});
