/** The two charts of the window, on one cursor: how many requests of which class, and how long they took. */

import { useMemo } from "../vendor/hooks.js";
import uPlot from "../vendor/uplot.js";
import { Coverage } from "./coverage.js";
import { axisLatency, count, latency, percent, whole } from "./format.js";
import { html } from "./html.js";
import { Link } from "./link.js";
import { Panel } from "./panel.js";
import { Plot } from "./plot.js";
import { ZoomOut } from "./range-choice.js";
import { lone } from "./scale.js";
import { has, toggled } from "./terms.js";
import { CLASSES, QUANTILES, latencyColumns, latencyTable, requestColumns, requestTable, stepWords } from "./traffic.js";
import { zoomed } from "./url-state.js";

const DASHES = { p50: [], p95: [7, 3], p99: [2, 3] };
const bars = uPlot.paths.bars({ size: [0.84, 48], align: 0 });

/** `summary` has how many of each class are in the window itself: its first and its last step may reach beyond it. */
export function RequestsChart({ requests, summary, state, go, ...panel }) {
  const columns = useMemo(() => requests && requestColumns(requests), [requests]);
  const table = requests && requestTable(requests);
  const name = requests ? `Requests per ${stepWords(requests.step_seconds)}` : "Requests";
  const tools = html`<${ZoomOut} state=${state} go=${go} />`;
  return html`<${Panel} name=${name} kind="chart" legend=${columns && html`<${ClassLegend} counts=${summary?.data.by_class} state=${state} go=${go} />`} tools=${tools} note=${requests && html`<${Coverage} meta=${requests.meta} isOfSteps />`} table=${table} hasNumbers=${Boolean(requests)} ...${panel}>
    ${columns && html`<${RequestsPlot} columns=${columns} state=${state} go=${go} dataTo=${momentOf(requests)} />`}
  <//>`;
}

function RequestsPlot({ columns, state, go, dataTo }) {
  // The highest stack is drawn first, and those below over it.
  const lists = [...columns.sums].reverse();
  const series = (colour) =>
    [...CLASSES].reverse().map((name) => ({
      paths: bars,
      fill: () => colour(`of-${name}`),
      width: 0, // a line around them would cover bars of a pixel
      points: { show: false },
    }));
  const entries = (index) => {
    const all = columns.totals[index];
    const classes = [...CLASSES].reverse().filter((name) => name !== "1xx" || columns.by[name][index]);
    const told = classes.map((name) => {
      const value = columns.by[name][index];
      return { name, value: all && value ? `${whole(value)} (${percent(value / all)})` : whole(value), mark: `of-${name}` };
    });
    return [{ name: "all", value: whole(all), mark: "" }, ...told];
  };
  return html`<${Plot} label="Requests by class of status" ...${{ columns, lists, series, entries, dataTo }}
    onZoom=${(from, to) => go(zoomed(state, from, to))} />`;
}

function ClassLegend({ counts, state, go }) {
  return html`<ul class="legend" aria-label="Classes of status">
    ${[...CLASSES]
      .reverse()
      .filter((name) => name !== "1xx" || counts?.[name])
      .map(
        (name) => html`<li>
          <${Link} to=${{ ...state, terms: toggled(state.terms, "status", name) }} go=${go} aria-current=${has(state.terms, "status", name) ? "true" : null}>
            <span class="mark-of of-${name}" />${name} <strong>${counts ? count(counts[name]) : "–"}</strong>
          <//>
        </li>`,
      )}
  </ul>`;
}

export function LatencyChart({ latencies, requests, state, go, ...panel }) {
  const columns = useMemo(() => latencies && latencyColumns(latencies, requests), [latencies, requests]);
  const table = latencies && latencyTable(latencies, requests);
  const legend = html`<ul class="legend" aria-label="Percentiles">
    ${QUANTILES.map((name) => html`<li><span class="mark-of of-${name}" />${name}</li>`)}
  </ul>`;
  return html`<${Panel} name="Latency" kind="chart" note=${latencies && html`<${Coverage} meta=${latencies.meta} isOfSteps />`} legend=${columns && legend} table=${table} hasNumbers=${Boolean(latencies)} ...${panel}>
    ${columns && html`<${LatencyPlot} columns=${columns} state=${state} go=${go} dataTo=${momentOf(latencies)} />`}
  <//>`;
}

function LatencyPlot({ columns, state, go, dataTo }) {
  const lists = QUANTILES.map((name) => columns.by[name]);
  const series = (colour) =>
    QUANTILES.map((name) => ({ stroke: colour(`of-${name}`), width: 2, dash: DASHES[name], points: { size: 4, filter: onlyLone } }));
  const entries = (index) =>
    [...QUANTILES].reverse().map((name) => ({ name, value: latency(columns.by[name][index]), mark: `of-${name}` }));
  return html`<${Plot} label="Latency" ...${{ columns, lists, series, entries, dataTo }} axis=${axisLatency}
    onZoom=${(from, to) => go(zoomed(state, from, to))} />`;
}

/** A point with nothing beside it has no line to be seen by. */
function onlyLone(drawn, index, isEveryShown) {
  return isEveryShown ? null : lone(drawn.data[index]);
}

function momentOf(series) {
  const said = series.meta.data_to;
  return said ? Date.parse(said) : null;
}
