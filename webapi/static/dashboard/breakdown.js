/** A ranking: what there is most of. A click on a name filters to it. */

import { Coverage } from "./coverage.js";
import { count, latency, percent, short, whole } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Link } from "./link.js";
import { Panel } from "./panel.js";
import { barWidth } from "./scale.js";
import { added, has, term, toggled } from "./terms.js";

const BARS = { requests: (one) => one.requests, errors: (one) => one.errors, error_rate: (one) => one.error_rate, p95: (one) => one.p95_latency };
const COLUMNS = ["requests", "share", "errors", "error_rate", "p95_latency_ms"];

/**
 * `top` is `/stats/top`'s answer; `field` the filter's that a click adds; `sorts` [sort, words] pairs to choose from,
 * `sort` the chosen one, and `onSort` is told of another. `label` says more of a key than its name.
 */
export function Breakdown({ name, top, field, sorts, sort, onSort, label, state, go, ...panel }) {
  const table = top && { columns: [field, ...COLUMNS], rows: rows(top).map(cells) };
  const most = top ? Math.max(...top.data.map(BARS[sort] || BARS.requests), 0) : 0;
  const tabs = sorts && html`<${Sorts} name=${name} sorts=${sorts} sort=${sort} onSort=${onSort} />`;
  return html`<${Panel} name=${name} tools=${tabs} note=${top && html`<${Coverage} meta=${top.meta} />`} table=${table} hasNumbers=${Boolean(top)} ...${panel}>
    ${top && (top.data.length ? html`<${Ranking} ...${{ name, top, field, sort, most, label, state, go }} />` : html`<p class="nothing">None.</p>`)}
  <//>`;
}

function Sorts({ name, sorts, sort, onSort }) {
  return html`<div class="sorts" role="group" aria-label="${name} by">
    ${sorts.map(
      ([key, words]) =>
        html`<button type="button" class="sort" aria-pressed=${key === sort ? "true" : "false"} onClick=${() => onSort(key)}>${words}</button>`,
    )}
  </div>`;
}

function Ranking({ name, top, field, sort, most, label, state, go }) {
  const rest = top.other;
  return html`<table class="ranking by-${sort || "requests"}">
    <thead>
      <tr>
        <th scope="col"><span class="for-readers">${field}</span></th>
        <th scope="col" class="number of-requests">requests</th>
        <th scope="col" class="number of-errors">errors</th>
        <th scope="col" class="number of-latency">p95</th>
        <th scope="col" class="exclude"><span class="for-readers">exclude</span></th>
      </tr>
    </thead>
    <tbody aria-label=${name}>
      ${top.data.map((one) => html`<${Row} key=${one.key} ...${{ one, field, sort, most, label, state, go }} />`)}
      ${
        rest.keys > 0 &&
        html`<tr class="rest">
          <td>${count(rest.keys)} more</td>
          <td class="number of-requests">${short(rest.requests)}</td>
          <td class="number of-errors">${percent(rest.error_rate)}</td>
          <td class="number of-latency">${latency(rest.p95_latency)}</td>
          <td class="exclude"></td>
        </tr>`
      }
    </tbody>
  </table>`;
}

function Row({ one, field, sort, most, label, state, go }) {
  const isChosen = has(state.terms, field, one.key);
  const width = `${barWidth((BARS[sort] || BARS.requests)(one), most)}%`;
  const to = { ...state, terms: toggled(state.terms, field, one.key) };
  const without = { ...state, terms: added(state.terms, term(field, one.key, true)) };
  const tone = sort === "errors" || sort === "error_rate" ? "is-errors" : "";
  return html`<tr class=${isChosen ? "is-chosen" : ""}>
    <th scope="row" class="key">
      <span class="bar-of ${tone}" style=${{ width }} />
      <${Link} to=${to} go=${go} class="key-link" title=${one.key} aria-current=${isChosen ? "true" : null}>
        <bdi>${one.key}</bdi>${label && html` <span class="label">${label(one.key)}</span>`}
      <//>
    </th>
    <td class="number of-requests" title=${whole(one.requests)}>${short(one.requests)}</td>
    <td class="number of-errors" title="${whole(one.errors)} errors">${percent(one.error_rate)}</td>
    <td class="number of-latency">${latency(one.p95_latency)}</td>
    <td class="exclude">
      <${Link} to=${without} go=${go} aria-label="Exclude ${one.key}" title="Exclude"><${Icon} name="exclude" /><//>
    </td>
  </tr>`;
}

/** What is ranked, and what the rest comes to, so that a table sums to the total. */
function rows({ data, other }) {
  return other.keys ? [...data, { ...other, key: `${count(other.keys)} more` }] : data;
}

function cells(one) {
  return [one.key, one.requests, one.share, one.errors, one.error_rate, one.p95_latency];
}
