/** Keys that do something wherever one is, but where one types. */

import { useEffect, useRef } from "../vendor/hooks.js";

/** `actions` are functions by key. */
export function useKeys(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const pressed = (event) => {
      const types = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
      if (types || event.ctrlKey || event.metaKey || event.altKey) {
        return;
      }
      const action = latest.current[event.key];
      if (action) {
        event.preventDefault();
        action();
      }
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
