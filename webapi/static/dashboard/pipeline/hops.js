/** The way of a line, hop by hop: what went through, how fast, and what waits. */

import { count, duration, rate, whole } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Panel } from "../panel.js";

const DOES = {
  receiver: "takes uploads",
  kafka: "keeps what came",
  consumer: "plans batches",
  queue: "names them to workers",
  workers: "count and store",
  database: "has rows and rollups",
};
const STATES = {
  ok: ["check", "ok"],
  behind: ["warning", "behind"],
  down: ["cross", "away"],
  unknown: ["help", "unknown"],
};

export function Hops({ flow, ...panel }) {
  const oldest = flow?.oldest_pending;
  const note = flow && (oldest ? `oldest pending batch: ${duration(oldest.seconds)}, ${whole(oldest.lines)} lines, partition ${oldest.partition}, tried ${whole(oldest.attempts)} times` : "no batch is pending");
  const table = flow && { columns: ["hop", "state", "lines", "lines per second", "waiting", "unit", "lag seconds"], rows: flow.hops.map(cells) };
  return html`<${Panel} name="The way of a line" note=${note} table=${table} hasNumbers=${Boolean(flow)} ...${panel}>
    ${flow && html`<ol class="hops">${flow.hops.map((hop) => html`<${Hop} key=${hop.name} hop=${hop} />`)}</ol>`}
  <//>`;
}

function Hop({ hop }) {
  const [icon, word] = STATES[hop.state];
  return html`<li class="hop is-${hop.state}">
    <h3>${hop.name}<span class="hop-state"><${Icon} name=${icon} />${word}</span></h3>
    <p class="soft">${DOES[hop.name]}</p>
    <p class="hop-rate">${speed(hop)}</p>
    <p class="hop-total">${hop.lines_total === null ? " " : html`<span title=${whole(hop.lines_total)}>${count(hop.lines_total)}</span> lines`}</p>
    <p class="hop-waiting ${hop.waiting ? "is-some" : ""}">${waiting(hop)}</p>
  </li>`;
}

/** How fast lines go through; what only keeps them says how many of its own wait. */
function speed(hop) {
  if (hop.lines_per_second !== null) {
    return html`${rate(hop.lines_per_second)} <span>lines/s</span>`;
  }
  return hop.waiting_unit && hop.waiting !== null ? html`${count(hop.waiting)} <span>${units(hop)}</span>` : html`<span>–</span>`;
}

function waiting(hop) {
  if (hop.waiting === null || hop.waiting_unit === null) {
    return hop.waiting_unit ? "waiting: not known" : " ";
  }
  const lag = hop.lag_seconds >= 1 ? ` for ${duration(hop.lag_seconds)}` : "";
  if (hop.lines_per_second === null) {
    return hop.waiting ? `waiting${lag}` : "nothing waits";
  }
  return hop.waiting ? `${whole(hop.waiting)} ${units(hop)} waiting${lag}` : `no ${hop.waiting_unit} waiting`;
}

function units(hop) {
  return hop.waiting === 1 ? { records: "record", messages: "message", batches: "batch" }[hop.waiting_unit] : hop.waiting_unit;
}

function cells(hop) {
  return [hop.name, hop.state, hop.lines_total, hop.lines_per_second, hop.waiting, hop.waiting_unit, hop.lag_seconds];
}
