/** The page's place: which page, in which state. It lives in the browser's address, so that back and forward work. */

import { useCallback, useEffect, useState } from "../vendor/hooks.js";
import { read, write } from "./url-state.js";

/**
 * [place, go]: `place` is {path, state}; `go(state, {replace, path, hash})` moves there.
 *
 * To put in a place's stead what stood before it, as closing what was opened does, is to go back: else there were two
 * of it, and the browser's own way back did nothing once.
 */
export function usePlace() {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const moved = () => setPlace(here());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go = useCallback((state, { replace = false, path = location.pathname, hash = "" } = {}) => {
    const address = path + write(state) + hash;
    if (replace && history.state?.before === address) {
      history.replaceState(null, "", address);
      history.back();
    } else if (address !== location.pathname + location.search + location.hash) {
      const before = location.pathname + write(read(location.search));
      history[replace ? "replaceState" : "pushState"](replace ? history.state : { before }, "", address);
    }
    setPlace(here());
  }, []);
  return [place, go];
}

function here() {
  return { path: location.pathname, state: read(location.search) };
}
