/** Where every line is, and that nothing is missing: the sum, and by day. */

import { count, whole } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Panel } from "../panel.js";
import { useAnswer } from "../poll.js";

export const CLASSES = ["stored", "discarded", "rejected", "duplicate", "lost", "pending"];
const WORDS = {
  stored: "kept as rows",
  discarded: "counted, not kept",
  rejected: "could not be read",
  duplicate: "sent again, counted once",
  lost: "gone before they were read",
  pending: "on their way",
};
const DAYS_SECONDS = 30;

export function Ledger({ sums, ...panel }) {
  const table = sums && { columns: ["class", "lines"], rows: ["received", ...CLASSES].map((name) => [name, sums[name]]) };
  return html`<${Panel} name="Ledger" note="every line that was received is in one class" table=${table} hasNumbers=${Boolean(sums)} ...${panel}>
    ${sums && html`<${Equation} sums=${sums} />`}
  <//>`;
}

function Equation({ sums }) {
  return html`<div class="equation">
    <p class="received"><strong title=${whole(sums.received)}>${count(sums.received)}</strong> received ${sums.balanced ? "=" : "≠"}</p>
    <ul>
      ${CLASSES.map(
        (name) => html`<li class="class-of ${name} ${sums[name] ? "" : "is-none"}">
          <strong title=${whole(sums[name])}>${count(sums[name])}</strong> ${name}<span class="soft">${WORDS[name]}</span>
        </li>`,
      )}
    </ul>
    <div class="shares" aria-hidden="true">
      ${CLASSES.map((name) => sums[name] > 0 && html`<span class="share-of ${name}" style=${{ flexGrow: sums[name] }} />`)}
    </div>
    <${Balance} balanced=${sums.balanced} />
  </div>`;
}

export function Balance({ balanced }) {
  return balanced
    ? html`<p class="balance is-good"><${Icon} name="check" />balances to the line</p>`
    : html`<p class="balance is-bad"><${Icon} name="cross" />does not balance</p>`;
}

export function Days({ isLive }) {
  const found = useAnswer("/ledger/days", isLive ? DAYS_SECONDS : null, DAYS_SECONDS);
  const days = found.answer ? [...found.answer.data].reverse() : [];
  const table = found.answer && { columns: ["day (UTC)", "received", ...CLASSES, "balanced"], rows: days.map(cells) };
  return html`<${Panel} name="Ledger by day" note="days of UTC" table=${table} problem=${found.problem} retry=${found.retry} hasNumbers=${Boolean(found.answer)} isBusy=${found.busy}>
    ${days.length === 0 && found.answer && html`<p class="nothing">No line yet.</p>`}
    ${days.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Ledger by day as table">
      <table class="data-table">
        <thead>
          <tr><th scope="col">day</th>${["received", ...CLASSES].map((name) => html`<th scope="col" class="number">${name}</th>`)}<th scope="col">balance</th></tr>
        </thead>
        <tbody>${days.map((one) => html`<${Day} key=${one.day} one=${one} />`)}</tbody>
      </table>
    </div>`}
  <//>`;
}

function Day({ one }) {
  const alarming = (name) => (name === "lost" || name === "rejected") && one[name] > 0;
  return html`<tr>
    <th scope="row">${one.day}</th>
    ${["received", ...CLASSES].map((name) => html`<td class="number ${alarming(name) ? "is-worse" : ""}" title=${whole(one[name])}>${count(one[name])}</td>`)}
    <td><span class="balance ${one.balanced ? "is-good" : "is-bad"}"><${Icon} name=${one.balanced ? "check" : "cross"} />${one.balanced ? "yes" : "no"}</span></td>
  </tr>`;
}

function cells(one) {
  return [one.day, one.received, ...CLASSES.map((name) => one[name]), one.balanced ? "yes" : "no"];
}
