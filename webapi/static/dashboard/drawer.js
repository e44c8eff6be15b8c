/** One line with every field of it, each of which can be filtered to or excluded. */

import { useEffect, useRef } from "../vendor/hooks.js";
import { CopyButton } from "./copy-button.js";
import { dayAndClock, latency, utc } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Status } from "./line-list.js";
import { Link } from "./link.js";
import { Trouble } from "./panel.js";
import { useAnswer } from "./poll.js";
import { statusWords } from "./status-words.js";
import { added, term } from "./terms.js";
import { zoomed } from "./url-state.js";

const AROUND_MS = 60_000;
/** Characters of which some lines are, however narrow. */
const SHORT = 100;

export function Drawer({ state, go }) {
  const found = useAnswer(`/logs/${state.line}`, null);
  const line = found.answer && String(found.answer.data.id) === state.line ? found.answer.data : null;
  const box = useRef(null);
  const close = () => {
    const opened = document.querySelector(`[data-line="${state.line}"]`);
    go({ ...state, line: null }, { replace: true });
    opened?.focus();
  };
  const leave = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  };
  useEffect(() => box.current.focus(), [state.line]);
  return html`<div class="drawer" role="dialog" aria-label="Line ${state.line}" tabindex="-1" ref=${box} onKeyDown=${leave}>
    <div class="drawer-head">
      <h2>Line ${state.line}</h2>
      <${Neighbours} state=${state} go=${go} />
      <button type="button" class="icon-button" onClick=${close} aria-label="Close" title="Close (Esc)"><${Icon} name="close" /></button>
    </div>
    ${found.problem && html`<${Trouble} problem=${found.problem} retry=${found.retry} />`}
    ${line && html`<${Fields} line=${line} state=${state} go=${go} />`}
  </div>`;
}

function Fields({ line, state, go }) {
  const at = Date.parse(line.Timestamp);
  const around = { ...zoomed(state, at - AROUND_MS, at + AROUND_MS), line: null };
  const by = (field, value) => ({ field, value });
  return html`<dl class="fields">
      <${Field} name="Status" state=${state} go=${go} ...${by("status", line.Status)}>
        <${Status} status=${line.Status} /> ${statusWords(line.Status)}
      <//>
      <${Field} name="Time" state=${state} go=${go}>${dayAndClock(at)}<br /><span class="soft">${utc(at)}</span><//>
      <${Field} name="Method" state=${state} go=${go} ...${by("method", line.Method)}>${line.Method}<//>
      <${Field} name="Path" state=${state} go=${go} ...${by("path", line.Path)}><${Long} text=${line.Path} /><//>
      <${Field} name="Route" state=${state} go=${go} ...${by("route", line.Route)}><${Long} text=${line.Route} /><//>
      <${Field} name="Address" state=${state} go=${go} ...${by("ip", line.IP)}><span class="code">${line.IP}</span><//>
      <${Field} name="Latency" state=${state} go=${go} ...${by("latency", `>=${line.LatencyMs}`)} words="as slow or slower" opposite="faster only">${latency(line.LatencyMs)}<//>
    </dl>
    <div class="drawer-tools">
      <${CopyButton} name="Copy as JSON" text=${JSON.stringify(line, null, 2)} />
      <${Link} to=${around} go=${go} class="button">A minute around it<//>
    </div>`;
}

function Field({ name, field, value, words = "filter to", opposite = "exclude", state, go, children }) {
  const to = (isNegated) => {
    const one = field === "latency" && isNegated ? term(field, String(value).replace(">=", "<")) : term(field, value, isNegated);
    return { ...state, terms: added(state.terms, one), line: null };
  };
  return html`<div class="field">
    <dt>${name}</dt>
    <dd>
      <div class="field-value">${children}</div>
      ${
        field &&
        html`<div class="field-tools">
          <${Link} to=${to(false)} go=${go} aria-label="${name}: ${words}"><${Icon} name="filter" />${words}<//>
          <${Link} to=${to(true)} go=${go} aria-label="${name}: ${opposite}"><${Icon} name="exclude" />${opposite}<//>
        </div>`
      }
    </dd>
  </div>`;
}

/** A text that may be long: it is scrolled by its own, by keys too. */
function Long({ text }) {
  return html`<bdi class="code long" tabindex=${text.length > SHORT ? 0 : null}>${text}</bdi>`;
}

/** To the lines above and below in the list, where it has them. */
function Neighbours({ state, go }) {
  const step = (by) => {
    const links = [...document.querySelectorAll("[data-line]")];
    const next = links[links.findIndex((one) => one.dataset.line === state.line) + by];
    if (next) {
      go({ ...state, line: next.dataset.line }, { replace: true });
    }
  };
  return html`<button type="button" class="icon-button" onClick=${() => step(-1)} aria-label="Newer line" title="Newer"><${Icon} name="up" /></button>
    <button type="button" class="icon-button" onClick=${() => step(1)} aria-label="Older line" title="Older"><${Icon} name="down" /></button>`;
}
