/** Whether the server asks for a key: whoever hears a 401 says it here, and the page shows its login. */

import { useEffect, useState } from "../vendor/hooks.js";

const listeners = new Set();
let isLocked = false;

/** Says that a key is needed, or that there is one now. */
export function lock(locked) {
  if (locked !== isLocked) {
    isLocked = locked;
    for (const listener of listeners) {
      listener(isLocked);
    }
  }
}

/** Whether a key is needed now. */
export function useIsLocked() {
  const [locked, setLocked] = useState(false);
  useEffect(() => {
    listeners.add(setLocked);
    setLocked(isLocked);
    return () => listeners.delete(setLocked);
  }, []);
  return locked;
}
