/** What the charts and the small lines show, out of the answers' points. Pure. */

import { stacked } from "./scale.js";

/** From the ground up: errors stand on the axis, where their heights can be compared. */
export const CLASSES = ["5xx", "4xx", "3xx", "2xx", "1xx"];
export const QUANTILES = ["p50", "p95", "p99"];

/**
 * Columns of `/stats/series?by=class`'s answer: {step, start, end, middles, by, sums, totals}.
 *
 * Times are in seconds. `by` has each class's requests, `sums` those stacked in the order of CLASSES, `totals` all of
 * a step.
 */
export function requestColumns(series) {
  const { step, start, end, middles } = times(series);
  const by = Object.fromEntries(CLASSES.map((name) => [name, series.data.map((point) => point[name] || 0)]));
  const sums = stacked(CLASSES.map((name) => by[name]));
  const totals = sums.at(-1);
  return { step, start, end, middles, by, sums, totals };
}

/**
 * Columns of `/stats/series?metric=latency`'s answer: {step, start, end, middles, by}, null where nothing came.
 *
 * What came and took no millisecond is told by `requests`, the answer of the same steps that counts.
 */
export function latencyColumns(series, requests) {
  const points = answered(series, requests);
  const by = Object.fromEntries(QUANTILES.map((name) => [name, points.map((point) => point[`${name}_latency`] ?? null)]));
  return { ...times(series), by };
}

/** What each card's small line shows. */
export function trends(requests, latencies, visitors) {
  const found = {};
  if (requests) {
    const { by, totals } = requestColumns(requests);
    found.requests = totals;
    found.errorRates = totals.map((all, index) => (all ? (by["4xx"][index] + by["5xx"][index]) / all : 0));
  }
  if (latencies) {
    Object.assign(found, latencyColumns(latencies, requests).by);
  }
  if (visitors) {
    found.visitors = visitors.data.map((point) => point.unique_ips);
  }
  return found;
}

/** The rows of a table of the requests: a step each. */
export function requestTable(series) {
  const names = [...CLASSES].reverse().filter((name) => name !== "1xx");
  return {
    columns: ["from (UTC)", ...names, "requests"],
    rows: series.data.map((point) => [point.time, ...names.map((name) => point[name] || 0), requestsOf(point)]),
  };
}

/** The same of latencies, in milliseconds. */
export function latencyTable(series, requests) {
  const keys = ["p50_latency", "p90_latency", "p95_latency", "p99_latency", "avg_latency", "max_latency"];
  return {
    columns: ["from (UTC)", ...keys.map((key) => key.replace("_latency", " ms"))],
    rows: answered(series, requests).map((point) => [point.time, ...keys.map((key) => point[key] ?? null)]),
  };
}

/** How long a step is, in words: `minute`, `5 minutes`, `hour`. */
export function stepWords(seconds) {
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([size]) => seconds % size === 0);
  return seconds === size ? unit : `${seconds / size} ${unit}s`;
}

/** The points of latencies, of which those of no request have but their time. */
function answered(series, requests) {
  const counts = new Map((requests?.data || []).map((point) => [point.time, requestsOf(point)]));
  return series.data.map((point) => (point.max_latency || counts.get(point.time) ? point : { time: point.time }));
}

function requestsOf(point) {
  return CLASSES.reduce((sum, name) => sum + (point[name] || 0), 0);
}

function times(series) {
  const step = series.step_seconds;
  const starts = series.data.map((point) => Date.parse(point.time) / 1000);
  const start = starts[0] ?? 0;
  return { step, start, end: (starts.at(-1) ?? 0) + step, middles: starts.map((at) => at + step / 2) };
}
