/** What the page shows, as its address says it: a link that is shared shows the same. Pure. */

import { parse, write as writeTerms } from "./terms.js";

export const RANGES = ["15m", "1h", "24h", "7d"];
export const SORTS = ["requests", "errors", "error_rate", "p95"];

/** How long each range is, in seconds. */
export const RANGE_SECONDS = { "15m": 900, "1h": 3600, "24h": 86400, "7d": 604800 };

const DEFAULTS = {
  range: "1h",
  from: null,
  to: null,
  terms: [],
  routes: "requests",
  addresses: "requests",
  live: true,
  tail: false,
  line: null,
  tables: [],
  reason: null,
  rule: null,
};

/** The state that a query string says; what it does not say, or says wrongly, is as it is by default. */
export function read(search) {
  const asked = new URLSearchParams(search);
  const word = (name, known) => (known.includes(asked.get(name)) ? asked.get(name) : DEFAULTS[name]);
  const [from, to] = [moment(asked.get("from")), moment(asked.get("to"))];
  const isCustom = from !== null && to !== null && from < to;
  return {
    range: isCustom ? "custom" : word("range", RANGES),
    from: isCustom ? from : null,
    to: isCustom ? to : null,
    terms: parse(asked.get("q") || "").terms,
    routes: word("routes", SORTS),
    addresses: word("addresses", SORTS),
    live: asked.get("live") !== "0",
    tail: asked.get("tail") === "1",
    line: /^[1-9][0-9]{0,17}$/.test(asked.get("line") || "") ? asked.get("line") : null,
    tables: (asked.get("tables") || "").split(",").filter(Boolean),
    reason: /^[a-z_]{1,32}$/.test(asked.get("reason") || "") ? asked.get("reason") : null,
    rule: asked.get("rule"),
  };
}

/** The query string of a state, with what is as by default left out; empty, or with its question mark. */
export function write(state) {
  const said = new URLSearchParams();
  if (state.range === "custom") {
    said.set("from", new Date(state.from).toISOString());
    said.set("to", new Date(state.to).toISOString());
  } else if (state.range !== DEFAULTS.range) {
    said.set("range", state.range);
  }
  if (state.terms.length) {
    said.set("q", writeTerms(state.terms));
  }
  for (const name of ["routes", "addresses", "line", "reason", "rule"]) {
    if (state[name] !== DEFAULTS[name]) {
      said.set(name, state[name]);
    }
  }
  if (!state.live) {
    said.set("live", "0");
  }
  if (state.tail) {
    said.set("tail", "1");
  }
  if (state.tables.length) {
    said.set("tables", state.tables.join(","));
  }
  const text = said.toString();
  return text ? `?${text}` : "";
}

/** Whether the window's end moves on with the clock. */
export function isMoving(state) {
  return state.range !== "custom";
}

/** Whether what a place shows may move: a window that was chosen stands still, and the pipeline has none. */
export function mayMove({ path, state }) {
  return path === "/pipeline" || isMoving(state);
}

/** A window that was chosen, in milliseconds since 1970: the page stands still in it. */
export function zoomed(state, from, to) {
  return { ...state, range: "custom", from, to };
}

function moment(text) {
  const found = text === null ? NaN : Date.parse(text.replace(" ", "+"));
  return Number.isNaN(found) ? null : found;
}
