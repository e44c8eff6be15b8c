/** What numbers leave out, where they do. */

import { percent } from "./format.js";
import { html } from "./html.js";
import { stepWords } from "./traffic.js";

/**
 * `meta` is an answer's; what is of all lines, whole and of just the window needs no word. With the page's `state` it
 * is said, too, where the window's ends lie within what is counted as one.
 */
export function Coverage({ meta, state }) {
  const { lines, complete, share } = meta.coverage;
  const kind = lines === "stored" ? "stored lines" : "lines";
  const title = "As far as could be counted at once";
  const part = complete ? lines === "stored" && `of ${kind}` : html`<span title=${title}>of the newest ${percent(share)} of the ${kind}</span>`;
  const step = state && cut(state, meta.rounded_to_seconds) && html`<${Step} seconds=${meta.rounded_to_seconds} />`;
  return html`${part}${part && step && ", "}${step}`;
}

function Step({ seconds }) {
  const words = stepWords(seconds);
  return html`<span title="What the window begins or ends within is counted whole">by ${/^\d/.test(words) ? words : `the ${words}`}</span>`;
}

/** Whether a window begins or ends within what is counted as one; all is counted by minutes, which needs no word. */
function cut({ range, from, to }, seconds) {
  return seconds > 60 && (range !== "custom" || [from, to].some((end) => end % (seconds * 1000)));
}
