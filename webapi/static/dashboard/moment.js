/** A moment in the viewer's zone, that says its UTC when it is pointed at. */

import { clock, dayAndClock, utc } from "./format.js";
import { html } from "./html.js";

/** `at` is RFC 3339 or milliseconds; `withDay` tells the day as well. */
export function Moment({ at, withDay = false }) {
  const words = withDay ? dayAndClock(at) : clock(at);
  return html`<time datetime=${new Date(at).toISOString()} title=${utc(at)}>${words}</time>`;
}
