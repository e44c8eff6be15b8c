/** Lists that stand still while somebody is at them, and say so. */

import { useState } from "../vendor/hooks.js";

/** [whether somebody is at a list, by pointer or by keys, what its box must listen to]. */
export function useHold() {
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const listeners = {
    onPointerEnter: () => setPointedAt(true),
    onPointerLeave: () => setPointedAt(false),
    onFocusIn: () => setFocused(true),
    onFocusOut: () => setFocused(false),
  };
  return [isPointedAt || isFocused, listeners];
}

/** Why a list stands still, null where it does not: one of it is open, older ones are below, or somebody is at it. */
export function stillness({ isHeld, older, isOpen = false }) {
  if (isOpen) {
    return "stands still while one is open";
  }
  if (older.pages.length) {
    return "stands still with older ones below";
  }
  return isHeld ? "stands still while you are at it" : null;
}
