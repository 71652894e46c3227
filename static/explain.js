// Opens the explanation of a figure in a sheet beside the page. Its address is a page of its own, so
// it can be shared, and Back closes the sheet. Without this script the links lead to that page.
"use strict";

(() => {
  const sheet = document.getElementById("sheet");
  const content = document.getElementById("sheet-content");
  if (!sheet || document.querySelector("main .receipt")) return;

  let opener = null; // the figure whose explanation is open
  let depth = 0; // explanations opened from one another
  let pushed = false;
  let wasClosed = false; // by the person, so the history follows
  let isOurs = false; // the step in the history opens or closes the sheet

  function show(url, push) {
    pushed = push ? url : null;
    htmx.ajax("GET", url, { target: "#sheet-content", swap: "innerHTML" });
  }

  // What can have the focus again: not the text that a chart shows, but its line, and not what is in a
  // menu, which the sheet closes, but its button.
  function placeOf(link) {
    const menu = link.closest("[popover]");
    const button = menu && document.querySelector(`[popovertarget="${menu.id}"]`);
    return link.closest("ledger-chart")?.querySelector(".scrub") ?? button ?? link;
  }

  // A browser that steps back in its history takes the focus away, unless it moves meanwhile.
  function focusOpener() {
    opener?.blur();
    opener?.focus();
  }

  function mark(isOpen) {
    opener?.toggleAttribute("data-open", isOpen);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-explain]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // a figure may stand in the summary of a row
    if (!sheet.contains(link)) opener = placeOf(link);
    show(link.getAttribute("href"), true); // in a drawing, `href` is no text
  }, true);

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.target !== content) return;
    if (!pushed && !depth) return; // the sheet was closed before the answer came
    if (pushed) history.pushState({ htmx: true, sheet: ++depth }, "", pushed); // htmx overwrites other states
    pushed = null;
    mark(true);
    if (!sheet.open) sheet.showModal();
    sheet.scrollTop = 0;
    document.getElementById("receipt-title").focus();
  });

  // A swap of the page may have replaced the figure, or its mark.
  document.addEventListener("htmx:after:swap", () => {
    if (!sheet.open || !opener) return;
    if (!opener.isConnected) {
      const links = [...document.querySelectorAll("main a[data-explain]")];
      opener = links.find((link) => link.getAttribute("href") === opener.getAttribute("href")) ?? opener;
    }
    mark(true);
  });

  addEventListener("popstate", (event) => {
    pushed = null;
    depth = event.state?.sheet ?? 0;
    isOurs = sheet.open || wasClosed || depth > 0;
    if (wasClosed) focusOpener();
    wasClosed = false;
    if (depth) show(location.href, false);
    else if (sheet.open) sheet.close();
  });

  // The page under the sheet is still there, so htmx need not load it.
  document.addEventListener("htmx:before:history:restore", (event) => {
    if (isOurs) event.preventDefault();
    isOurs = false;
  });

  sheet.addEventListener("close", () => {
    mark(false);
    focusOpener();
    pushed = null;
    if (!depth) return;
    wasClosed = true;
    history.go(-depth);
    depth = 0;
  });

  // A click beside the sheet closes it.
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });
})();
