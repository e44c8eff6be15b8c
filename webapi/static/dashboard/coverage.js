/** What numbers leave out, where they do. */

import { percent } from "./format.js";
import { html } from "./html.js";
import { stepWords } from "./traffic.js";

/** `meta` is an answer's; what is of all lines, whole and of just the window needs no word. */
export function Coverage({ meta, isOfSteps }) {
  const { lines, complete, share } = meta.coverage;
  const kind = lines === "stored" ? "stored lines" : "lines";
  const title = "As far as could be counted at once";
  const part = complete ? lines === "stored" && `of ${kind}` : html`<span title=${title}>of the newest ${percent(share)} of the ${kind}</span>`;
  // All is counted by minutes, and a chart by its steps, which its name says.
  const step = !isOfSteps && meta.rounded_to_seconds > 60 && html`<${Step} seconds=${meta.rounded_to_seconds} />`;
  return html`${part}${part && step && ", "}${step}`;
}

function Step({ seconds }) {
  const words = stepWords(seconds);
  return html`<span title="What the window begins or ends within is counted whole">by ${/^\d/.test(words) ? words : `the ${words}`}</span>`;
}
