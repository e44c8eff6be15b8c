/** What to do while there is nothing to see. */

import { DemoTraffic } from "./demo-traffic.js";
import { html } from "./html.js";
import { Link } from "./link.js";
import { needsKey, receiverUrl } from "./setting.js";
import { Snippet } from "./snippet.js";
import { RANGES } from "./url-state.js";

/** The page without any line in its window. */
export function Empty({ state, go }) {
  const isFiltered = state.terms.length > 0;
  const longer = RANGES.slice(RANGES.indexOf(state.range) + 1);
  return html`<section class="empty" aria-labelledby="empty">
    <h2 id="empty">${isFiltered ? "Nothing matches in this window" : "No request in this window"}</h2>
    <p>
      ${isFiltered && html`<${Link} to=${{ ...state, terms: [] }} go=${go} class="button">Clear the filters<//> `}
      ${longer.map((range) => html`<${Link} to=${{ ...state, range, from: null, to: null }} go=${go} class="button">Look at ${range}<//> `)}
    </p>
    ${!isFiltered && html`<${Lessons} state=${state} go=${go} />`}
  </section>`;
}

function Lessons({ state, go }) {
  return html`<ol class="lessons">
    <li>
      <h3>Send a line</h3>
      <${Snippet} label="A line with curl" text=${curl()} />
    </li>
    <li>
      <h3>Have nginx write such lines</h3>
      <${Snippet} label="nginx's log_format" text=${nginx()} />
      <p class="soft">Each line of that file is one that can be sent; nginx tells seconds, and the map makes milliseconds of them.</p>
    </li>
    <li>
      <h3>Or look at made-up traffic</h3>
      <${DemoTraffic} state=${state} go=${go} />
    </li>
  </ol>`;
}

function curl() {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const key = needsKey ? " \\\n  -H 'Authorization: Bearer tally_…'" : "";
  return `curl ${receiverUrl} -H 'Content-Type: application/json'${key} \\\n  -d '["${now} 203.0.113.7 GET /products/42 404 12ms"]'`;
}

function nginx() {
  return `map $request_time $milliseconds {
    "~^0\\.0{0,2}([0-9]+)$" $1;
    "~^([0-9]+)\\.([0-9]+)$" $1$2;
}
log_format tally '$time_iso8601 $remote_addr $request_method $request_uri $status \${milliseconds}ms';
access_log /var/log/nginx/tally.log tally;`;
}
