/** What stands above every page: where one is, how fresh it is, and what holds for all of it. */

import { post } from "./answers.js";
import { whole } from "./format.js";
import { Freshness } from "./freshness.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Link } from "./link.js";
import { show } from "./scroll.js";
import { lock } from "./session.js";
import { needsKey } from "./setting.js";
import { ThemeChoice } from "./theme-choice.js";
import { mayMove } from "./url-state.js";

export function Bar({ place, go, found, allowance, pause, help, children }) {
  const { state, path } = place;
  const page = (to, name) =>
    html`<${Link} to=${state} go=${go} path=${to} aria-current=${path === to ? "page" : null}>${name}<//>`;
  return html`<header class="bar">
    <div class="bar-row">
      <a class="brand" href="/" aria-label="Tally, first page"><${Mark} />Tally</a>
      <nav class="pages" aria-label="Pages">${page("/", "Traffic")}${page("/pipeline", "Pipeline")}<a href="/docs">API</a></nav>
      <${Rejected} found=${found} state=${state} go=${go} />
      <${Freshness} found=${found} allowance=${allowance} pause=${pause} isLive=${state.live} retry=${found.retry} />
      <div class="bar-tools">
        <${Live} place=${place} go=${go} />
        <${ThemeChoice} />
        <button type="button" class="icon-button" onClick=${help} aria-label="Help" title="Help (?)"><${Icon} name="help" /></button>
        ${needsKey && html`<${LogOut} />`}
      </div>
    </div>
    ${children}
  </header>`;
}

/** Lines that came in the window and could not be stored: where one finds out why. */
function Rejected({ found, state, go }) {
  const number = found.answer?.ledger?.rejected;
  if (!number) {
    return null;
  }
  return html`<${Link} to=${state} go=${go} path="/pipeline" hash="#letters" then=${() => show("letters")} class="rejected-link">
    <${Icon} name="warning" />${whole(number)} rejected
  <//>`;
}

function Live({ place, go }) {
  const { state } = place;
  const isFixed = !mayMove(place);
  const isOn = state.live && !isFixed;
  const change = () => go({ ...state, live: !state.live }, { replace: true });
  const title = isFixed ? "A window that was chosen stands still" : isOn ? "Stop updating (l)" : "Update as lines come (l)";
  return html`<button type="button" class="live ${isOn ? "is-on" : ""}" aria-pressed=${isOn ? "true" : "false"}
    disabled=${isFixed} onClick=${change} title=${title}>
    <${Icon} name=${isOn ? "pause" : "play"} /><span class="live-word">Live</span>
  </button>`;
}

function LogOut() {
  const out = () => post("/logout").then(() => lock(true), () => location.reload());
  return html`<button type="button" class="icon-button" onClick=${out} aria-label="Log out" title="Log out"><${Icon} name="out" /></button>`;
}

function Mark() {
  return html`<svg class="mark" viewBox="0 0 20 20" aria-hidden="true">
    <path d="M4 3v14M8 3v14M12 3v14M16 3v14M1.5 14.5l17-9" />
  </svg>`;
}
