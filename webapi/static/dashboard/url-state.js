/** What the page shows, as its address says it: a link that is shared shows the same. Pure. */

import { parse, write as writeTerms } from "./terms.js";

export const RANGES = ["15m", "1h", "24h", "7d"];
export const SORTS = ["requests", "errors", "error_rate", "p95"];

const MINUTE = 60_000;
/** No line is dated outside. */
const [FIRST, LAST] = [0, Date.UTC(2100, 0, 1)];

/** How long each range is, in seconds. */
export const RANGE_SECONDS = { "15m": 900, "1h": 3600, "24h": 86400, "7d": 604800 };

const DEFAULTS = {
  range: "1h",
  from: null,
  to: null,
  terms: [],
  misread: null,
  routes: "requests",
  addresses: "requests",
  live: true,
  tail: false,
  line: null,
  tables: [],
  reason: null,
  rule: null,
};

/**
 * The state that a query string says; what it does not say, or says wrongly, is as it is by default. Only a search is
 * never passed over, which would show other lines than are asked for: `misread` is one that is not understood.
 */
export function read(search) {
  const asked = new URLSearchParams(search);
  const word = (name, known) => (known.includes(asked.get(name)) ? asked.get(name) : DEFAULTS[name]);
  const [from, to] = [moment(asked.get("from")), moment(asked.get("to"))];
  const isChosen = from !== null && to !== null && from < to;
  const { terms, problem } = parse(asked.get("q") || "");
  return {
    ...(isChosen ? zoomed({}, from, to) : { range: word("range", RANGES), from: null, to: null }),
    terms: problem ? [] : terms,
    misread: problem ? asked.get("q") : null,
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
  if (searched(state)) {
    said.set("q", searched(state));
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

/** What the state is filtered to, as the search language has it; empty for everything. */
export function searched(state) {
  return writeTerms(state.terms) || state.misread || "";
}

/** Whether the window's end moves on with the clock. */
export function isMoving(state) {
  return state.range !== "custom";
}

/** Whether what a place shows may move: a window that was chosen stands still, and the pipeline has none. */
export function mayMove({ path, state }) {
  return path === "/pipeline" || isMoving(state);
}

/**
 * A window that was chosen, in milliseconds since 1970: the page stands still in it.
 *
 * It is of whole minutes, by which all lines are counted: else figures were of more than the lines below them.
 */
export function zoomed(state, from, to) {
  const first = Math.min(Math.max(Math.floor(from / MINUTE) * MINUTE, FIRST), LAST - MINUTE);
  const last = Math.min(Math.max(Math.ceil(to / MINUTE) * MINUTE, first + MINUTE), LAST);
  return { ...state, range: "custom", from: first, to: last };
}

function moment(text) {
  const found = text === null ? NaN : Date.parse(text.replace(" ", "+"));
  return Number.isNaN(found) ? null : found;
}
