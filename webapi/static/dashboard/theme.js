/* Before anything is drawn, so that nothing flashes: the theme that somebody chose here, if any. */
"use strict";
try {
  const chosen = localStorage.getItem("tally-theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // A browser that keeps nothing follows the system.
}
