// Shows a password while the person types it, and hides it again.
"use strict";

(() => {
  const prepare = () => {
    for (const button of document.querySelectorAll("[data-reveals][hidden]")) {
      button.hidden = false;
      button.dataset.show = button.textContent;
    }
  };
  prepare();
  document.addEventListener("htmx:after:swap", prepare);

  document.addEventListener("click", ({ target }) => {
    const field = target.dataset?.reveals && document.getElementById(target.dataset.reveals);
    if (!field) return;
    const shows = field.type === "text";
    field.type = shows ? "password" : "text";
    target.textContent = shows ? target.dataset.show : target.dataset.hide;
  });

  // A browser must not keep what was typed into a text field among its suggestions.
  document.addEventListener("submit", ({ target }) => {
    for (const button of target.querySelectorAll("[data-reveals]")) {
      document.getElementById(button.dataset.reveals).type = "password";
    }
  });
})();
