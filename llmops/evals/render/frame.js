"use strict";
// What every page has: light or dark, and a command to copy.
(() => {
  const byId = (id) => document.getElementById(id);

  function theme() {
    const root = document.documentElement;
    const kept = (value) => {
      try { return value === undefined ? localStorage.getItem("llmops-theme") : localStorage.setItem("llmops-theme", value); } catch { return null; }
    };
    const before = kept();
    if (before === "dark" || before === "light") root.dataset.theme = before;
    byId("theme").hidden = false;
    byId("theme").addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      kept(root.dataset.theme);
    });
    let chosen;
    addEventListener("beforeprint", () => { chosen = root.dataset.theme; root.dataset.theme = "light"; });
    addEventListener("afterprint", () => {
      if (chosen) root.dataset.theme = chosen;
      else delete root.dataset.theme;
    });
  }

  function copying() {
    if (!navigator.clipboard) return;
    byId("copy").hidden = false;
    byId("copy").addEventListener("click", async () => {
      await navigator.clipboard.writeText(byId("command").textContent);
      byId("copy").textContent = "Copied";
      setTimeout(() => { byId("copy").textContent = "Copy"; }, 1500);
    });
  }

  theme();
  if (byId("copy")) copying();
})();
