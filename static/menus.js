// Closes a menu that a click opened: with Esc, by a click elsewhere, and once it has begun a pull or sent a form.
"use strict";

(() => {
  const open = () => document.querySelectorAll("details.drop-menu[open]");

  function close(menu) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus({ preventScroll: true }); // a panel may be in view
  }

  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") open().forEach(close);
  });

  // The menu of an account; that of the person stays open, to try the themes.
  document.addEventListener("submit", (event) => event.target.closest("#this-account:popover-open")?.hidePopover());

  document.addEventListener("htmx:after:swap", (event) => {
    const { target, sourceElement } = event.detail.ctx;
    if (target?.id === "activity") open().forEach((menu) => menu.contains(sourceElement) && close(menu));
  });
})();
