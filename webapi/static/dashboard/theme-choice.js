/** Light, dark, or as the system has it. */

import { useCallback, useEffect, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

const KEY = "tally-theme";
const NEXT = { system: "light", light: "dark", dark: "system" };
const NAMES = { system: "as the system", light: "light", dark: "dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

/** A button that goes on to the next theme. */
export function ThemeChoice() {
  const [chosen, setChosen] = useState(document.documentElement.dataset.theme || "system");
  const change = useCallback(() => {
    setChosen((before) => {
      keep(NEXT[before]);
      return NEXT[before];
    });
  }, []);
  const label = `Theme: ${NAMES[chosen]}`;
  return html`<button type="button" class="icon-button" onClick=${change} aria-label=${label} title=${label}>
    <${Icon} name=${chosen} />
  </button>`;
}

/** Whether the page is dark now; whoever draws by hand draws anew when it changes. */
export function useIsDark() {
  const [dark, setDark] = useState(isDark);
  useEffect(() => {
    const look = () => setDark(isDark());
    const watch = new MutationObserver(look);
    watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    system.addEventListener("change", look);
    return () => {
      watch.disconnect();
      system.removeEventListener("change", look);
    };
  }, []);
  return dark;
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : system.matches;
}

function keep(theme) {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is left.
  }
}
