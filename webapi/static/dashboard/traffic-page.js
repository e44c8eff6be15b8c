/** The first page: what came, how much of it failed, how long it took, and which lines these were. */

import { useEffect, useMemo, useState } from "../vendor/hooks.js";
import { Bar } from "./bar.js";
import { Breakdown } from "./breakdown.js";
import { Cards } from "./cards.js";
import { LatencyChart, RequestsChart } from "./charts.js";
import { Explorer } from "./explorer.js";
import { Filters } from "./filters.js";
import { html } from "./html.js";
import { lazy } from "./lazy.js";
import { Trouble } from "./panel.js";
import { useParts } from "./parts.js";
import { useAnswer } from "./poll.js";
import { LOOK_SECONDS, overview } from "./questions.js";
import { RangeChoice } from "./range-choice.js";
import { statusWords } from "./status-words.js";
import { tablesOf } from "./tables.js";
import { trends } from "./traffic.js";
import { isMoving } from "./url-state.js";

const Drawer = lazy(() => import("./drawer.js").then((it) => it.Drawer));
const Empty = lazy(() => import("./empty.js").then((it) => it.Empty));

const ROUTE_SORTS = [["requests", "busiest"], ["p95", "slowest"], ["errors", "most errors"]];
const ADDRESS_SORTS = [["requests", "busiest"], ["errors", "most errors"]];
/** Seconds between two looks at nothing: the first line is waited for. */
const EMPTY_SECONDS = 5;
/** Seconds that an answer may be old when it is given: a long window is worked out less often. */
const CACHED_SECONDS = { "15m": 1, "1h": 1, "24h": 10, "7d": 30, custom: 0 };

export function TrafficPage({ place, go, help }) {
  const { state } = place;
  const isLive = state.live && isMoving(state);
  const [wasEmpty, setWasEmpty] = useState(false);
  const look = wasEmpty ? Math.min(EMPTY_SECONDS, LOOK_SECONDS[state.range]) : LOOK_SECONDS[state.range];
  const found = useAnswer(overview(state), isLive ? look : null);
  const pause = isLive ? LOOK_SECONDS[state.range] : Infinity;
  const part = useParts(found);
  const isEmpty = part("summary").answer?.data.requests === 0;
  useEffect(() => setWasEmpty(isEmpty), [isEmpty]);
  const isRefused = found.problem?.status === 400;
  const trouble = found.problem && !isRefused && found.problem.status !== 401 ? found.problem : null;
  return html`<${Bar} place=${place} go=${go} found=${found} allowance=${CACHED_SECONDS[state.range]} pause=${pause} help=${help}>
      <div class="bar-row bar-filters"><${Filters} state=${state} go=${go} problem=${isRefused ? found.problem.detail : null} /><${RangeChoice} state=${state} go=${go} /></div>
    <//>
    <main id="content" class="page ${found.isStale && found.busy ? "is-waiting" : ""}">
      <h1 class="for-readers">Traffic</h1>
      ${trouble && html`<${Trouble} problem=${trouble} hasNumbers=${found.answer !== null} retry=${found.retry} />`}
      ${isEmpty && !found.isStale ? html`<${Empty} state=${state} go=${go} />` : html`<${Overview} ...${{ found, part, state, go }} />`}
      <${Explorer} state=${state} go=${go} isLive=${isLive} />
    </main>
    ${state.line !== null && html`<${Drawer} state=${state} go=${go} />`}`;
}

function Overview({ found, part, state, go }) {
  const [summary, requests, latencies, visitors] = ["summary", "requests", "latency", "visitors"].map(part);
  const small = useMemo(
    () => trends(requests.answer, latencies.answer, visitors.answer),
    [requests.answer, latencies.answer, visitors.answer],
  );
  const tables = tablesOf(state, go);
  const shared = (one, name) => ({ state, go, problem: one.problem, retry: found.retry, isBusy: found.busy, isOld: found.problem !== null, ...tables(name) });
  const sorted = (name) => ({ sort: state[name], onSort: (sort) => go({ ...state, [name]: sort }) });
  const top = (name) => ({ top: part(name).answer, ...shared(part(name), name) });
  return html`<${Cards} summary=${summary.answer} trends=${small} ...${shared(summary, "cards")} />
    <div class="charts">
      <${RequestsChart} requests=${requests.answer} summary=${summary.answer} ...${shared(requests, "requests")} />
      <${LatencyChart} latencies=${latencies.answer} requests=${requests.answer} ...${shared(latencies, "latency")} />
    </div>
    <div class="breakdowns">
      <${Breakdown} name="Routes" field="route" sorts=${ROUTE_SORTS} ...${sorted("routes")} ...${top("routes")} />
      <${Breakdown} name="Addresses" field="ip" sorts=${ADDRESS_SORTS} ...${sorted("addresses")} ...${top("addresses")} />
      <${Breakdown} name="Statuses" field="status" label=${statusWords} ...${top("statuses")} />
      <${Breakdown} name="Methods" field="method" ...${top("methods")} />
    </div>`;
}
