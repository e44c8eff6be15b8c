/** Whether all is well, to be seen from across the room. */

import { duration, whole } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";

export function Verdict({ flow, problem, retry }) {
  if (problem && problem.status !== 401) {
    return html`<section class="verdict is-bad" role="alert" aria-label="How it is">
      <${Icon} name="cross" />
      <div><p class="verdict-words">No answer</p><p>${problem.detail}</p></div>
      <button type="button" class="button" onClick=${retry}>Retry</button>
    </section>`;
  }
  if (!flow) {
    return html`<section class="verdict" aria-label="How it is"><p class="verdict-words">Asking …</p></section>`;
  }
  const [level, icon] = levelOf(flow);
  return html`<section class="verdict is-${level}" aria-label="How it is">
    <${Icon} name=${icon} />
    <div>
      <p class="verdict-words" role="status">${words(flow)}</p>
      ${flow.problems.length ? html`<ul>${flow.problems.map((one) => html`<li><strong>${one.part}</strong> ${one.detail}</li>`)}</ul>` : html`<p>${calm(flow)}</p>`}
    </div>
  </section>`;
}

/** Lost lines and parts that are away are worse than what only waits. */
function levelOf({ problems, hops, ledger }) {
  if (!problems.length) {
    return ["good", "check"];
  }
  const isBad = !ledger.balanced || hops.some((hop) => hop.state === "down") || problems.some((one) => one.part === "ledger");
  return isBad ? ["bad", "cross"] : ["warn", "warning"];
}

function words({ problems }) {
  return problems.length ? (problems.length === 1 ? "Something is wrong" : `${problems.length} things are wrong`) : "All is well";
}

function calm({ ledger, lag_seconds: lag }) {
  const sum = `${whole(ledger.received)} lines received, every one of them accounted for`;
  return lag === null ? `${sum}.` : `${sum}; lag ${duration(lag)}.`;
}
