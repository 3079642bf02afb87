// Runs before the first paint, so that a chosen theme or language does not flash the other one.
(() => {
  try {
    const root = document.documentElement;
    const theme = localStorage.getItem("koshu.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const saved = localStorage.getItem("koshu.language");
    root.lang = saved ?? (navigator.language.startsWith("ja") ? "ja" : "en");
  } catch {
    // Storage can be forbidden; the defaults do.
  }
})();
