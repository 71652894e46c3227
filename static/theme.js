// The server has remembered the theme by now; the page that is open takes it on without a reload.
document.addEventListener("theme-chosen", () => {
  const { value } = document.querySelector("#theme [aria-pressed=true]");
  const root = document.documentElement;
  if (value === "system") delete root.dataset.theme;
  else root.dataset.theme = value;
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    const own = meta.dataset.of;
    meta.media = value === "system" ? `(prefers-color-scheme: ${own})` : value === own ? "all" : "not all";
  }
});
