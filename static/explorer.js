// The explorer's keyboard shortcuts, selection and focus. Without this script rows still open and
// forms still work.
"use strict";

(() => {
  const rows = () => [...document.querySelectorAll("#list .row")];
  const rowOf = (element) => element?.closest?.("#list .row");
  const details = (row) => row.querySelector("details");
  const head = (row) => row.querySelector("summary");
  const box = (row) => row.querySelector("input[type=checkbox]");
  let last = null; // id of the row last in focus, in case a swap takes the focus away

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
    row.dataset.edit = "true"; // the form gets the focus once it has loaded
    details(row).open = true;
  }

  document.addEventListener("toggle", (event) => {
    const row = rowOf(event.target);
    if (!row || event.target !== details(row)) return;
    // A swap must not replace an open row.
    row.toggleAttribute("hx-morph-skip", event.target.open);
    if (event.target.open) htmx.trigger(row.querySelector(".detail"), "opened");
  }, true);

  // On a phone the date ranges are wider than the page: scroll to the current one.
  function showPreset() {
    const preset = document.querySelector("#presets [aria-current]");
    const line = preset?.parentElement;
    if (line) line.scrollLeft += preset.getBoundingClientRect().right - line.getBoundingClientRect().right + 24;
  }
  showPreset();

  // Selection

  function selected() {
    return rows().filter((row) => box(row)?.checked);
  }

  function showCount() {
    const line = document.querySelector("#bulk .bulk-count");
    const all = document.querySelector("#bulk [name=all]:checked");
    const number = all ? all.dataset.count : selected().length;
    if (line) line.textContent = number ? line.dataset.text.replace("{count}", number) : "";
  }

  function clearSelection() {
    for (const row of selected()) box(row).checked = false;
    const all = document.querySelector("#bulk [name=all]");
    if (all) all.checked = false;
    showCount();
  }

  document.addEventListener("change", (event) => {
    if (event.target.form?.id === "bulk") showCount();
  });

  // Polling: with "hold" the server sends the new count and a link instead of the list. So nothing
  // moves while a row is open or selected, or while more than the first page is loaded.

  function isBusy() {
    const size = Number(document.getElementById("results")?.dataset.size);
    return rows().length > size || selected().length > 0 || rows().some((row) => details(row).open);
  }

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.id === "live" && isBusy()) ctx.request.body.set("hold", "1");
  });

  // Focus: keep it on the row that the person works on.

  document.addEventListener("focusin", (event) => {
    const row = rowOf(event.target);
    if (row) last = row.id;
  });

  let neighbor = null; // id of the next row that stays, in case a swap removes the row itself
  document.addEventListener("htmx:before:swap", () => {
    const row = document.getElementById(last);
    const below = row ? rows().slice(rows().indexOf(row) + 1) : [];
    neighbor = below.find((other) => !box(other)?.checked)?.id;
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const source = event.detail.ctx?.sourceElement;
    const row = rowOf(source);
    if (row?.dataset.edit) {
      delete row.dataset.edit;
      edit(row);
    }
    const ofMany = source?.id === "bulk" || event.detail.ctx?.request?.form?.id === "bulk";
    if (ofMany) clearSelection(); // and with it goes the bar that had the focus
    const lost = ofMany || !document.activeElement || document.activeElement === document.body;
    if (lost && last && event.detail.ctx?.request?.method !== "GET") {
      focusRow(document.getElementById(last) || document.getElementById(neighbor) || rows()[0]);
    }
    showCount();
    showPreset();
  });

  // Keys

  const typing = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select");

  function close(event) {
    if (event.target.id === "q") { // leaves the search, which stays
      event.preventDefault();
      event.target.blur();
      return focusRow(rows()[0]);
    }
    const facet = document.querySelector("details.facet[open]");
    if (facet) {
      facet.open = false;
      return facet.querySelector("summary").focus();
    }
    const row = current();
    if (row && details(row).open) {
      details(row).open = false;
      return focusRow(row);
    }
    if (selected().length) clearSelection();
  }

  const KEYS = {
    "/": () => document.getElementById("q").select(),
    j: () => move(1),
    k: () => move(-1),
    e: () => edit(current()),
    x: () => current() && box(current())?.click(),
    b: () => document.querySelector("#bulk [name=all]")?.focus(),
    u: () => (document.getElementById("undo") || document.getElementById("undo-last"))?.click(),
    "?": () => document.getElementById("keys").showModal(),
  };

  // In a browser that knows the attributes, the click has opened the dialog already.
  document.addEventListener("click", ({ target }) => {
    const dialog = document.getElementById("keys");
    if (target.closest("#keys-button") && !dialog.open) dialog.showModal();
    if (target === dialog) dialog.close(); // beside its content
  });

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return; // it has keys of its own
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return; // an explanation lies over the list
    if (event.key === "Escape") return close(event);
    // On a checkbox, Enter would press the form's first button.
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

  // A click outside an open facet closes it.
  document.addEventListener("click", (event) => {
    for (const facet of document.querySelectorAll("details.facet[open]")) {
      if (!facet.contains(event.target) && !facet.closest(":popover-open")) facet.open = false;
    }
  });
})();
