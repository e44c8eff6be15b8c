/** The figures of the window, each beside that of the window before. */

import { Coverage } from "./coverage.js";
import { change, count, latency, percent, rate, span, utcSpan, whole } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Link } from "./link.js";
import { Panel } from "./panel.js";
import { Sparkline } from "./sparkline.js";
import { narrowed, term } from "./terms.js";
import { show } from "./scroll.js";

const ERRORS = { field: "status", negated: false, values: ["4xx", "5xx"] };

const BEFORE = { "15m": "the 15 minutes", "1h": "the hour", "24h": "the 24 hours", "7d": "the 7 days", custom: "as long a time" };

/** Each card: its name, key, how it is written, which way is worse, and which lines it leads to. */
const CARDS = [
  { name: "Requests", key: "requests", write: count, exact: whole, spark: (of) => of.requests },
  { name: "Per second", key: "requests_per_second", write: rate, spark: (of) => of.requests },
  { name: "Errors", key: "error_rate", write: percent, kind: "share", worse: "up", spark: (of) => of.errorRates, leads: (value) => (value > 0 ? ERRORS : null) },
  ...[50, 95, 99].map((nth) => ({
    name: `p${nth}`,
    key: `p${nth}_latency`,
    write: latency,
    kind: "latency",
    worse: "up",
    spark: (of) => of[`p${nth}`],
    // What is told to within a share of it may be more than any line took.
    leads: (value, error = 0) => (value >= 1 ? term("latency", `>=${Math.floor(value * (1 - error))}`) : null),
  })),
  { name: "Visitors", key: "unique_ips", write: count, exact: whole, spark: (of) => of.visitors },
];

/** `summary` is `/stats?type=summary`'s answer, `trends` the lists of numbers that the small lines show. */
export function Cards({ summary, trends, state, go, ...panel }) {
  const data = summary?.data;
  const table = data && { columns: ["figure", "now", "before"], rows: CARDS.map((card) => row(card, data)) };
  const before = summary?.meta.previous?.window;
  const ends = before && [Date.parse(before.from), Date.parse(before.to)];
  const note =
    before &&
    html`<span title=${`${span(...ends)}; ${utcSpan(...ends)}`}>beside ${BEFORE[state.range]} before</span>${" "}
      <${Coverage} meta=${summary.meta} />`;
  return html`<${Panel} name="Figures" kind="cards-panel" note=${note} table=${table} hasNumbers=${Boolean(data)} ...${panel}>
    <ul class="cards">
      ${CARDS.map((card) => html`<${Card} key=${card.key} ...${{ card, summary, trends, state, go }} />`)}
    </ul>
  <//>`;
}

function Card({ card, summary, trends, state, go }) {
  const data = summary?.data;
  const value = data?.[card.key];
  const led = data ? card.leads?.(value, summary.meta.estimated?.[card.key]) : null;
  const to = led ? { ...state, terms: narrowed(state.terms, led) } : state;
  const isEstimated = Boolean(summary?.meta.estimated?.[card.key]) && card.key === "unique_ips";
  const written = data ? `${isEstimated ? "≈ " : ""}${card.write(value)}` : "–";
  const spark = trends && card.spark(trends);
  return html`<li class="card">
    <${Link} to=${to} go=${go} then=${() => show("lines")} class="card-link" title=${title(card, value)}>
      <span class="card-name">${card.name}</span>
      <strong class="card-value">${written}</strong>
      ${data ? html`<${Change} ...${{ card, value, previous: data.previous }} />` : html`<span class="change"> </span>`}
      ${spark ? html`<${Sparkline} values=${spark} />` : html`<span class="sparkline" />`}
    <//>
  </li>`;
}

/** No figure of a window without a request is better or worse than another. */
function Change({ card, value, previous }) {
  if (!previous?.requests) {
    return html`<span class="change">nothing before</span>`;
  }
  const before = previous[card.key];
  const { direction, words } = change(value, before, card.kind);
  const judged = card.worse && direction !== "same" ? (direction === card.worse ? "is-worse" : "is-better") : "";
  return html`<span class="change ${judged}" title="before: ${card.write(before)}">
    <${Icon} name=${direction} /><span>${words}</span>
  </span>`;
}

function title(card, value) {
  const digits = value !== undefined && card.exact ? `${card.exact(value)}. ` : "";
  return `${digits}${card.leads ? "Show its lines" : "Show the lines"}`;
}

function row(card, data) {
  return [card.key, data[card.key] ?? null, data.previous?.[card.key] ?? null];
}
