/** What another DISCARD_STATUS would have stored of the last day, before anybody sets it. */

import { useEffect, useRef } from "../../vendor/hooks.js";
import { percent, whole } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Moment } from "../moment.js";
import { Panel } from "../panel.js";
import { useAnswer } from "../poll.js";
import { discardStatus } from "../setting.js";
import { statusWords } from "../status-words.js";

export function Rules({ state, go, ...panel }) {
  const input = useRef(null);
  const rule = state.rule ?? discardStatus;
  const found = useAnswer(`/rules/preview?discard_status=${encodeURIComponent(rule)}`, null);
  const said = found.answer;
  useEffect(() => {
    input.current.value = rule;
  }, [rule]);
  const submit = (event) => {
    event.preventDefault();
    const tried = input.current.value.trim();
    return tried === rule ? found.retry() : go({ ...state, rule: tried === discardStatus ? null : tried });
  };
  const table = said && { columns: ["status", "requests", "stored", "would be stored"], rows: said.by_status.map(cells) };
  const note = html`of the last day${said && html`, as of <${Moment} at=${said.meta.computed_at} withDay=${true} />`}`;
  const lead = html`<form class="rule" onSubmit=${submit}>
    <label for="rule">DISCARD_STATUS</label>
    <input id="rule" ref=${input} placeholder="200,301 or 2xx,3xx; empty stores all" spellcheck=${false} autocomplete="off" />
    <button type="submit" class="button">Try</button>
  </form>`;
  return html`<${Panel} name="What another rule would store" note=${note} lead=${lead} table=${table} problem=${found.problem} retry=${found.retry}
    hasNumbers=${Boolean(said)} isOld=${found.isStale} isBusy=${found.busy} ...${panel}>
    ${said && html`<${Preview} said=${said} rule=${rule} />`}
  <//>`;
}

function Preview({ said, rule }) {
  const changed = said.by_status.filter((one) => one.stored !== one.would_be_stored);
  return html`<div class="rules">
      <${Stored} name="as it is" rule=${discardStatus} one=${said.present} />
      <${Stored} name="as proposed" rule=${rule} one=${said.proposed} />
    </div>
    <p class="soft" role="status">${difference(said)}</p>
    <ul class="rule-changes">
      ${changed.map((one) => html`<li><${Icon} name=${one.would_be_stored > one.stored ? "up" : "down"} />${one.status} ${statusWords(one.status)} <strong>${whole(Math.abs(one.would_be_stored - one.stored))}</strong></li>`)}
    </ul>`;
}

function Stored({ name, rule, one }) {
  return html`<div>
    <p><code>${rule || "(stores all)"}</code> <span class="soft">${name}</span></p>
    <p class="card-value">${whole(one.stored)}</p>
    <p class="soft">rows, ${percent(one.share)} of all lines</p>
    <div class="shares" aria-hidden="true">
      <span class="share-of stored" style=${{ flexGrow: one.share }} /><span class="share-of discarded" style=${{ flexGrow: 1 - one.share }} />
    </div>
  </div>`;
}

function difference({ present, proposed }) {
  const more = proposed.stored - present.stored;
  return more ? `${whole(Math.abs(more))} rows a day ${more > 0 ? "more" : "fewer"}. Nothing changes until the setting does.` : "As many rows as now.";
}

function cells(one) {
  return [one.status, one.requests, one.stored, one.would_be_stored];
}
