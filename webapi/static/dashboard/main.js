/** The dashboard's entry: which page the address asks for, and what is above all pages. */

import { useEffect, useState } from "../vendor/hooks.js";
import { render } from "../vendor/preact.js";
import { usePlace } from "./address.js";
import { html } from "./html.js";
import { useKeys } from "./keys.js";
import { lazy } from "./lazy.js";
import { useIsLocked } from "./session.js";
import { RANGES, mayMove } from "./url-state.js";

const Help = lazy(() => import("./help.js").then((it) => it.Help));
const Login = lazy(() => import("./login.js").then((it) => it.Login));
const TrafficPage = lazy(() => import("./traffic-page.js").then((it) => it.TrafficPage));
const PipelinePage = lazy(() => import("./pipeline/pipeline-page.js").then((it) => it.PipelinePage));

function Dashboard() {
  const [place, go] = usePlace();
  const [isHelping, setHelping] = useState(false);
  const isLocked = useIsLocked();
  const { state, path } = place;
  const help = () => setHelping(true);
  const ranges = RANGES.map((range, index) => [index + 1, () => go({ ...state, range, from: null, to: null })]);
  useKeys({
    "/": () => document.getElementById("search")?.focus(),
    "?": help,
    l: () => mayMove(place) && go({ ...state, live: !state.live }, { replace: true }),
    t: () => path === "/" && go({ ...state, tail: !state.tail, line: null }, { replace: true }),
    Escape: () => state.line !== null && go({ ...state, line: null }, { replace: true }),
    ...Object.fromEntries(ranges),
  });
  useEffect(() => {
    document.title = path === "/pipeline" ? "Pipeline · Tally" : "Traffic · Tally";
  }, [path]);
  if (isLocked) {
    // Nothing of what somebody was shown stays behind the question for a key.
    return html`<main><h1 class="for-readers">Tally</h1><${Login} /></main>`;
  }
  const page = path === "/pipeline" ? html`<${PipelinePage} ...${{ place, go, help }} />` : html`<${TrafficPage} ...${{ place, go, help }} />`;
  return html`<a class="skip" href="#content">Skip to the content</a>
    ${page}
    ${isHelping && html`<${Help} onClose=${() => setHelping(false)} />`}`;
}

render(html`<${Dashboard} />`, document.getElementById("dashboard"));
