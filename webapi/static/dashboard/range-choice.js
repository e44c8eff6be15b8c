/** The window of time that the page is about. */

import { useEffect, useRef } from "../vendor/hooks.js";
import { span, utcSpan } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Link } from "./link.js";
import { RANGES, RANGE_SECONDS, zoomed } from "./url-state.js";

const NAMES = { "15m": "15 minutes", "1h": "hour", "24h": "24 hours", "7d": "7 days" };

export function RangeChoice({ state, go }) {
  const isCustom = state.range === "custom";
  return html`<div class="ranges" role="group" aria-label="Window of time">
    ${RANGES.map((range) => {
      const to = { ...state, range, from: null, to: null };
      const current = state.range === range ? "true" : null;
      return html`<${Link} key=${range} to=${to} go=${go} class="range" aria-current=${current} aria-label="Last ${NAMES[range]}">
        ${range}
      <//>`;
    })}
    <${Custom} key=${`${state.from}-${state.to}`} state=${state} go=${go} isCustom=${isCustom} />
  </div>`;
}

function Custom({ state, go, isCustom }) {
  const details = useRef(null);
  useLeaving(details);
  const [from, to] = isCustom ? [state.from, state.to] : recent(state.range);
  const words = isCustom ? span(state.from, state.to) : "Custom";
  const judge = (event, problem) => event.currentTarget.elements.to.setCustomValidity(problem);
  const submit = (event) => {
    event.preventDefault();
    const asked = new FormData(event.target);
    const [first, last] = [Date.parse(asked.get("from")), Date.parse(asked.get("to"))];
    judge(event, first < last ? "" : "The end must come after the beginning");
    if (event.target.reportValidity()) {
      details.current.open = false;
      go(zoomed(state, first, last));
    }
  };
  return html`<details class="custom" ref=${details}>
    <summary class="range" aria-current=${isCustom ? "true" : null} title=${isCustom ? utcSpan(state.from, state.to) : null}>${words}</summary>
    <form class="popover" onSubmit=${submit} onInput=${(event) => judge(event, "")}>
      <label>From<input type="datetime-local" name="from" required step="60" defaultValue=${local(from)} /></label>
      <label>To<input type="datetime-local" name="to" required step="60" defaultValue=${local(to)} /></label>
      <p class="note">Times of your zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}.</p>
      <button type="submit" class="button">Show</button>
    </form>
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

/** Has Escape, and a press elsewhere, close the form. */
function useLeaving(details) {
  useEffect(() => {
    const leave = (event) => {
      const box = details.current;
      const isEscape = event.key === "Escape";
      if (box.open && (isEscape || (event.type === "pointerdown" && !box.contains(event.target)))) {
        box.open = false;
      }
      if (isEscape && box.contains(event.target)) {
        box.querySelector("summary").focus();
      }
    };
    addEventListener("keydown", leave);
    addEventListener("pointerdown", leave);
    return () => {
      removeEventListener("keydown", leave);
      removeEventListener("pointerdown", leave);
    };
  }, []);
}

function recent(range) {
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  return [now - RANGE_SECONDS[range] * 1000, now];
}

/** What an input of a local time wants: 2025-11-25T14:03. */
function local(moment) {
  const at = new Date(moment);
  return new Date(moment - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
