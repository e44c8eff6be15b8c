/** The page's place: which page, in which state. It lives in the browser's address, so that back and forward work. */

import { useCallback, useEffect, useRef, useState } from "../vendor/hooks.js";
import { read, write } from "./url-state.js";

/**
 * [place, go]: `place` is {path, state}; `go(state, {replace, path, hash})` moves there.
 *
 * To put in a place's stead what stood before it, as closing what was opened does, is to go back: else there were two
 * of it, and the browser's own way back did nothing once.
 */
export function usePlace() {
  const [place, setPlace] = useState(here);
  const isGoingBack = useRef(false);
  useEffect(() => {
    const moved = () => {
      isGoingBack.current = false;
      setPlace(here());
    };
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  const go = useCallback((state, { replace = false, path = location.pathname, hash = "" } = {}) => {
    const address = path + write(state) + hash;
    const current = location.pathname + location.search + location.hash;
    if (replace && history.state?.before === address) {
      if (!isGoingBack.current) {
        isGoingBack.current = true;
        history.back();
      }
    } else if (address !== current) {
      history[replace ? "replaceState" : "pushState"](replace ? history.state : { before: current }, "", address);
    }
    setPlace(here());
  }, []);
  return [place, go];
}

function here() {
  return { path: location.pathname, state: read(location.search) };
}
