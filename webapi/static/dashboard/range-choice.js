/** The window of time that the page is about. */

import { useRef, useState } from "../vendor/hooks.js";
import { span, utcSpan } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { lazy } from "./lazy.js";
import { Link } from "./link.js";
import { RANGES, zoomed } from "./url-state.js";

const WindowForm = lazy(() => import("./window-form.js").then((it) => it.WindowForm));

const NAMES = { "15m": "15 minutes", "1h": "hour", "24h": "24 hours", "7d": "7 days" };

export function RangeChoice({ state, go }) {
  return html`<div class="ranges" role="group" aria-label="Window of time">
    ${RANGES.map((range) => {
      const to = { ...state, range, from: null, to: null };
      const current = state.range === range ? "true" : null;
      return html`<${Link} key=${range} to=${to} go=${go} class="range" aria-current=${current} aria-label="Last ${NAMES[range]}">
        ${range}
      <//>`;
    })}
    <${Custom} key=${`${state.from}-${state.to}`} state=${state} go=${go} />
  </div>`;
}

function Custom({ state, go }) {
  const box = useRef(null);
  const [isOpen, setOpen] = useState(false);
  const isChosen = state.range === "custom";
  const { from, to } = state;
  return html`<details class="custom" ref=${box} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary class="range" aria-current=${isChosen ? "true" : null} title=${isChosen ? utcSpan(from, to) : null}>
      ${isChosen ? span(from, to) : "Custom"}
    </summary>
    ${isOpen && html`<${WindowForm} state=${state} go=${go} box=${box} />`}
  </details>`;
}

/** A way back from a chosen window, one step wider each time. */
export function ZoomOut({ state, go }) {
  if (state.range !== "custom") {
    return null;
  }
  const half = (state.to - state.from) / 2;
  const wider = zoomed(state, state.from - half, state.to + half);
  return html`<${Link} to=${wider} go=${go} class="text-button"><${Icon} name="search" />Zoom out<//>`;
}
