// The dialog that finds anything, by ⌘K or Ctrl-K. Without this script its button leads to a page.
"use strict";

(() => {
  const dialog = document.getElementById("find");
  const field = document.getElementById("find-q");
  const told = document.getElementById("find-count");
  const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
  let asked = null; // the text of the last request
  let goes = false; // Enter was pressed before the answer to the text was there
  let moved = false; // the arrow keys were used, so Home and End are for the list

  const options = () => [...dialog.querySelectorAll("[role=option]")];
  const marked = () => dialog.querySelector("[aria-selected=true]");
  const text = () => field.value.trim();

  for (const key of document.querySelectorAll("kbd[data-apple]")) {
    if (isApple) key.textContent = key.dataset.apple;
  }

  function mark(option) {
    marked()?.setAttribute("aria-selected", "false");
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = options();
    moved = true;
    mark(all[(all.indexOf(marked()) + step + all.length) % all.length]);
  }

  function go() {
    if (dialog.dataset.shown === text()) marked()?.click();
    else goes = true;
  }

  function toggle() {
    if (dialog.open) return dialog.close();
    asked = null;
    dialog.showModal();
    field.focus();
    field.select();
    htmx.trigger(field, "opened");
  }

  document.addEventListener("keydown", (event) => {
    const isHeld = isApple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!isHeld || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (!event.repeat) toggle();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#find-open");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    toggle();
  });

  const KEYS = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Home: () => mark(options()[0]),
    End: () => mark(options().at(-1)),
    Enter: go,
  };

  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!KEYS[event.key] || (["Home", "End"].includes(event.key) && !moved)) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  field.addEventListener("input", () => {
    moved = goes = false;
  });

  document.addEventListener("htmx:config:request", (event) => {
    if (event.detail.ctx.sourceElement !== field) return;
    if (asked === text()) event.preventDefault(); // only a space more
    asked = text();
  });

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement !== field || ctx.response.status < 500) return;
    event.preventDefault(); // an error page does not belong in the list
    unanswered();
  });

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = event.detail;
    if (ctx?.sourceElement === field && !ctx.response) unanswered();
  });

  function unanswered() {
    const line = document.createElement("p");
    line.className = "warn";
    line.textContent = document.getElementById("stale").dataset.unanswered;
    document.getElementById("found").replaceChildren(line);
    asked = null;
    show(line.textContent);
  }

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.sourceElement !== field) return;
    dialog.dataset.shown = asked;
    show(document.getElementById("found").dataset.count);
    if (goes) marked()?.click();
    goes = false;
  });

  function show(count) {
    told.textContent = count;
    field.setAttribute("aria-expanded", String(options().length > 0));
    mark(options()[0]);
    document.getElementById("found").scrollTop = 0;
  }

  document.getElementById("find-close").addEventListener("click", () => dialog.close());

  // A click beside the dialog closes it. So does one on a result: the next page may be this one.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
})();
