// Light or dark as Airflow's page around us has it, else as the browser prefers. Runs before the first paint.
(() => {
  const wants = () => {
    try {
      if (window.parent !== window) {
        const root = window.parent.document.documentElement;
        if (root.classList.contains("dark")) return "dark";
        if (root.classList.contains("light")) return "light";
      }
    } catch { /* framed by another origin: nothing to read there */ }
    try {
      const stored = localStorage.getItem("theme");
      if (stored === "dark" || stored === "light") return stored;
    } catch { /* storage is closed to us */ }
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  };
  const apply = () => {
    const theme = wants();
    if (document.documentElement.dataset.theme === theme) return;
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new CustomEvent("themechange"));
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  addEventListener("storage", apply);
  try {
    if (window.parent !== window) {
      new MutationObserver(apply).observe(window.parent.document.documentElement, { attributes: true, attributeFilter: ["class"] });
    }
  } catch { /* as above */ }
})();
