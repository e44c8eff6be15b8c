/** Each process, as it says itself that it is. */

import { duration } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Moment } from "../moment.js";
import { Panel } from "../panel.js";

export function Processes({ processes, isKnown, ...panel }) {
  const table = processes && { columns: ["process", "host", "pid", "alive", "started", "last error at", "last error"], rows: processes.map(cells) };
  return html`<${Panel} name="Processes" table=${table} hasNumbers=${isKnown} ...${panel}>
    ${isKnown && !processes && html`<p class="trouble"><${Icon} name="warning" />The cache, through which they say how they are, does not answer.</p>`}
    ${processes && !processes.length && html`<p class="nothing">None says anything.</p>`}
    <ul class="processes">${(processes || []).map((one) => html`<${Process} key=${`${one.name}:${one.host}:${one.pid}`} one=${one} />`)}</ul>
  <//>`;
}

function Process({ one }) {
  const error = one.last_error;
  return html`<li class="process ${one.alive ? "" : "is-gone"}">
    <${Icon} name=${one.alive ? "check" : "cross"} />
    <div>
      <p><strong>${one.name}</strong> <span class="soft">${one.host}, pid ${one.pid}</span></p>
      <p class="soft">${one.alive ? "alive" : `silent for ${duration(one.age_seconds)}`}, since <${Moment} at=${one.started_at} withDay=${true} /></p>
      ${error && html`<p class="process-error"><${Icon} name="warning" /><span><${Moment} at=${error.at} withDay=${true} /> ${error.error}</span></p>`}
    </div>
  </li>`;
}

function cells(one) {
  return [one.name, one.host, one.pid, one.alive ? "yes" : "no", one.started_at, one.last_error?.at, one.last_error?.error];
}
