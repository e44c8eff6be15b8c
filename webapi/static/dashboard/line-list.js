/** A list of lines; each opens its drawer. */

import { memo } from "./memo.js";
import { dayAndClock, latency, utc } from "./format.js";
import { html } from "./html.js";
import { Link } from "./link.js";

/** `lines` are `/logs`' lines; `chosen` is the id of the one whose drawer is open. */
export function LineList({ lines, chosen, state, go, label }) {
  return html`<div class="lines" role="table" aria-label=${label}>
    <div class="line line-head" role="row">
      ${["time", "status", "method", "path", "address", "latency"].map(
        (name) => html`<span role="columnheader" class="cell-${name}">${name}</span>`,
      )}
    </div>
    ${lines.map(
      (line) => html`<${Line} key=${line.id} line=${line} isChosen=${String(line.id) === chosen} state=${state} go=${go} />`,
    )}
  </div>`;
}

const Line = memo(
  function ({ line, isChosen, state, go }) {
    return html`<div class="line ${isChosen ? "is-chosen" : ""}" role="row">
      <span role="cell" class="cell-time">
        <${Link} to=${{ ...state, line: String(line.id) }} go=${go} class="line-link" data-line=${line.id}>
          <time datetime=${line.Timestamp} title=${utc(line.Timestamp)}>${dayAndClock(line.Timestamp)}</time>
        <//>
      </span>
      <span role="cell" class="cell-status"><${Status} status=${line.Status} /></span>
      <span role="cell" class="cell-method">${line.Method}</span>
      <span role="cell" class="cell-path" title=${line.Path}><bdi>${line.Path}</bdi></span>
      <span role="cell" class="cell-address">${line.IP}</span>
      <span role="cell" class="cell-latency number">${latency(line.LatencyMs)}</span>
    </div>`;
  },
  (before, now) => before.line.id === now.line.id && before.isChosen === now.isChosen && before.state === now.state,
);

export function Status({ status }) {
  return html`<span class="status s${String(status)[0]}">${status}</span>`;
}
