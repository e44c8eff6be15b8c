/** What the page asks the web API for a state. Pure. */

import { searched } from "./url-state.js";

const NAMES = { "15m": "15m", "1h": "hour", "24h": "day", "7d": "week" };

/** Seconds between two looks at a window that moves: a long one moves slowly. */
export const LOOK_SECONDS = { "15m": 5, "1h": 5, "24h": 10, "7d": 30 };

/** The address of everything on the first page but the lines. */
export function overview(state) {
  const asked = filtered(windowOf(state), state);
  asked.set("routes", state.routes);
  asked.set("addresses", state.addresses);
  return `/overview?${asked}`;
}

/** The address of a page of lines, the newest where there is no cursor. */
export function lines(state, cursor = null) {
  const asked = filtered(windowOf(state), state);
  if (cursor) {
    asked.set("cursor", cursor);
  }
  return `/logs?${asked}`;
}

/** The address of all of these lines as a file. */
export function file(state, format) {
  const asked = filtered(windowOf(state), state);
  asked.set("format", format);
  return `/logs/export?${asked}`;
}

/** The address at which lines come as they are stored. */
export function tail(state) {
  return `/logs/tail?${filtered(new URLSearchParams(), state)}`;
}

/** Both ends of a window are included, so that one that was chosen ends a microsecond before its end. */
function windowOf(state) {
  if (state.range !== "custom") {
    return new URLSearchParams({ range: NAMES[state.range] });
  }
  return new URLSearchParams({ from: new Date(state.from).toISOString(), to: new Date(state.to - 1).toISOString().replace("Z", "999Z") });
}

function filtered(asked, state) {
  if (searched(state)) {
    asked.set("q", searched(state));
  }
  return asked;
}
