// The explorer by keyboard, and what a page that is being worked on tells the server. Everything here can
// be had without it: rows unfold and forms are sent by themselves.
"use strict";

(() => {
  const rows = () => [...document.querySelectorAll("#list .row")];
  const rowOf = (element) => element?.closest?.("#list .row");
  const folded = (row) => row.querySelector("details");
  const head = (row) => row.querySelector("summary");
  const box = (row) => row.querySelector("input[type=checkbox]");
  let last = null; // the row that was worked on, by its id, for when a swap takes the focus away

  // Rows

  function focusRow(row) {
    if (!row) return;
    head(row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function current() {
    return rowOf(document.activeElement) || document.getElementById(last);
  }

  function move(step) {
    const all = rows();
    const at = all.indexOf(current());
    focusRow(all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)]);
  }

  function edit(row) {
    if (!row) return;
    const field = row.querySelector(".edit select");
    if (field) return field.focus();
    row.dataset.edit = "true"; // as soon as it is there
    folded(row).open = true;
  }

  document.addEventListener("toggle", (event) => {
    const row = rowOf(event.target);
    if (!row || event.target !== folded(row)) return;
    // What is open is not drawn over.
    row.toggleAttribute("hx-morph-skip", event.target.open);
    if (event.target.open) htmx.trigger(row.querySelector(".detail"), "opened");
  }, true);

  // On a phone the ranges of dates are wider than the page: the one in force is in sight.
  function showPreset() {
    const one = document.querySelector("#presets [aria-current]");
    const line = one?.parentElement;
    if (line) line.scrollLeft += one.getBoundingClientRect().right - line.getBoundingClientRect().right + 24;
  }
  showPreset();

  // Selection

  function selected() {
    return rows().filter((row) => box(row).checked);
  }

  function count() {
    const line = document.querySelector("#bulk .bulk-count");
    const all = document.querySelector("#bulk [name=all]:checked");
    const number = all ? all.dataset.count : selected().length;
    if (line) line.textContent = number ? line.dataset.text.replace("{count}", number) : "";
  }

  function clear() {
    for (const row of selected()) box(row).checked = false;
    const all = document.querySelector("#bulk [name=all]");
    if (all) all.checked = false;
    count();
  }

  document.addEventListener("change", (event) => {
    if (event.target.form?.id === "bulk") count();
  });

  // Live: the list is drawn anew only when nobody is at work in it and only its beginning is there.

  function isBusy() {
    const size = Number(document.getElementById("results")?.dataset.size);
    return rows().length > size || selected().length > 0 || rows().some((row) => folded(row).open);
  }

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.id === "live" && isBusy()) ctx.request.body.set("hold", "1");
  });

  // Focus stays where the work is.

  document.addEventListener("focusin", (event) => {
    const row = rowOf(event.target);
    if (row) last = row.id;
  });

  let neighbour = null; // in case the row itself goes
  document.addEventListener("htmx:before:swap", () => {
    const row = document.getElementById(last);
    neighbour = row && rows()[rows().indexOf(row) + 1]?.id;
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const source = event.detail.ctx?.sourceElement;
    const row = rowOf(source);
    if (row?.dataset.edit) {
      delete row.dataset.edit;
      edit(row);
    }
    if (source?.id === "bulk" || event.detail.ctx?.request?.form?.id === "bulk") clear();
    const lost = !document.activeElement || document.activeElement === document.body;
    if (lost && last && event.detail.ctx?.request?.method !== "GET") {
      focusRow(document.getElementById(last) || document.getElementById(neighbour));
    }
    count();
    showPreset();
  });

  // Keys

  const typing = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select");

  function close() {
    const facet = document.querySelector("details.facet[open]");
    if (facet) {
      facet.open = false;
      return facet.querySelector("summary").focus();
    }
    const row = current();
    if (row && folded(row).open) {
      folded(row).open = false;
      return focusRow(row);
    }
    if (selected().length) clear();
  }

  const KEYS = {
    "/": () => document.getElementById("q").select(),
    j: () => move(1),
    k: () => move(-1),
    e: () => edit(current()),
    x: () => current() && box(current()).click(),
    b: () => document.querySelector("#bulk [name=all]")?.focus(),
    u: () => (document.getElementById("undo") || document.getElementById("undo-last"))?.click(),
    "?": () => document.getElementById("keys").togglePopover(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return close();
    // On a box it would press the form's first button.
    if (event.key === "Enter" && event.target.matches("[type=checkbox][form=bulk], #bulk [type=checkbox]")) {
      return event.preventDefault();
    }
    if (typing(event.target)) return;
    const onRow = event.target.matches("#list summary");
    if (onRow && event.key === "ArrowDown") move(1);
    else if (onRow && event.key === "ArrowUp") move(-1);
    else if (KEYS[event.key] && document.getElementById("explorer")) KEYS[event.key]();
    else return;
    event.preventDefault();
  });

  // A facet is a list that hangs from its button: a click elsewhere closes it.
  document.addEventListener("click", (event) => {
    for (const facet of document.querySelectorAll("details.facet[open]")) {
      if (!facet.contains(event.target) && !facet.closest(":popover-open")) facet.open = false;
    }
  });
})();
