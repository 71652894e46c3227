// Applies a new theme to the open page without a reload. The server has already saved the choice.
document.addEventListener("theme-chosen", () => {
  const { value } = document.querySelector("#theme [aria-pressed=true]");
  for (const button of document.querySelectorAll("#appearance [name=theme]")) {
    button.setAttribute("aria-pressed", button.value === value);
  }
  const root = document.documentElement;
  if (value === "system") delete root.dataset.theme;
  else root.dataset.theme = value;
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    const scheme = meta.dataset.of;
    meta.media = value === "system" ? `(prefers-color-scheme: ${scheme})` : value === scheme ? "all" : "not all";
  }
});
