/** The second page: how the pipeline itself is. Whether all is well is seen before anything is read. */

import { useEffect } from "../../vendor/hooks.js";
import { Bar } from "../bar.js";
import { html } from "../html.js";
import { useAnswer } from "../poll.js";
import { show } from "../scroll.js";
import { tablesOf } from "../tables.js";
import { Hops } from "./hops.js";
import { Days, Ledger } from "./ledger.js";
import { Letters } from "./letters.js";
import { Processes } from "./processes.js";
import { Rules } from "./rules.js";
import { Verdict } from "./verdict.js";

const LOOK_SECONDS = 5;

export function PipelinePage({ place, go, help }) {
  const { state } = place;
  const isLive = state.live;
  const found = useAnswer("/pipeline/status", isLive ? LOOK_SECONDS : null);
  const flow = found.answer;
  const shared = { problem: found.problem, retry: found.retry };
  const tables = tablesOf(state, go);
  useHash(Boolean(flow));
  return html`<${Bar} place=${place} go=${go} found=${found} allowance=${0} pause=${isLive ? 0 : Infinity} help=${help} />
    <main id="content" class="page">
      <h1 class="for-readers">Pipeline</h1>
      <${Verdict} flow=${flow} problem=${found.problem} retry=${found.retry} />
      <${Hops} flow=${flow} ...${shared} ...${tables("hops")} />
      <div class="pairs">
        <${Ledger} sums=${flow?.ledger} ...${shared} ...${tables("ledger")} />
        <${Processes} processes=${flow?.processes} isKnown=${Boolean(flow)} ...${shared} ...${tables("processes")} />
        <${Letters} state=${state} go=${go} counts=${flow?.dead_letters.by_reason} isLive=${isLive} ...${tables("letters")} />
        <div class="stack">
          <${Days} isLive=${isLive} />
          <${Rules} state=${state} go=${go} ...${tables("rules")} />
        </div>
      </div>
    </main>`;
}

/** A link to a part of the page leads there once there is something to lead to. */
function useHash(isThere) {
  useEffect(() => {
    if (isThere) {
      show(location.hash.slice(1));
    }
  }, [isThere]);
}
