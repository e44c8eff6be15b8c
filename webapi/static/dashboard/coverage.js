/** What numbers leave out, where they do. */

import { percent } from "./format.js";
import { html } from "./html.js";

/** `coverage` is what an answer's `meta` has; what is of all lines and whole needs no word. */
export function Coverage({ coverage }) {
  if (!coverage || (coverage.lines !== "stored" && coverage.complete)) {
    return null;
  }
  const kind = coverage.lines === "stored" ? "stored lines" : "lines";
  if (coverage.complete) {
    return `of ${kind}`;
  }
  const title = `Of the newest ${percent(coverage.share)} of the window: as far as could be counted at once`;
  return html`<span title=${title}>of the newest ${kind}</span>`;
}
