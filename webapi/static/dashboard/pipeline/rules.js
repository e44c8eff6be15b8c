/** What another DISCARD_STATUS would have kept of the last day, before anybody sets it. */

import { useState } from "../../vendor/hooks.js";
import { percent, whole } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Panel } from "../panel.js";
import { useAnswer } from "../poll.js";
import { discardStatus } from "../setting.js";

export function Rules() {
  const [rule, setRule] = useState(discardStatus);
  const found = useAnswer(`/rules/preview?discard_status=${encodeURIComponent(rule)}`, null);
  const said = found.answer;
  const submit = (event) => {
    event.preventDefault();
    setRule(new FormData(event.target).get("rule").trim());
  };
  const table = said && { columns: ["rule", "discard_status", "kept", "discarded", "share kept"], rows: [cells("present", said.present), cells("other", said.other)] };
  return html`<${Panel} name="What another rule would keep" note="of the last day" table=${table} problem=${found.problem} retry=${found.retry}
    hasNumbers=${Boolean(said)} isBusy=${found.busy}>
    <form class="rule" onSubmit=${submit}>
      <label for="rule">DISCARD_STATUS</label>
      <input id="rule" name="rule" defaultValue=${rule} placeholder="200,301 or 2xx,3xx; empty keeps all" spellcheck=${false} autocomplete="off" />
      <button type="submit" class="button">Try</button>
    </form>
    ${said && html`<div class="rules"><${Kept} name="as it is now" one=${said.present} /><${Kept} name="with the other" one=${said.other} /></div>`}
    ${said && html`<p class="soft">${difference(said)}</p>`}
  <//>`;
}

function Kept({ name, one }) {
  return html`<div class="rule-kept">
    <p><code>${one.discard_status || "(keeps all)"}</code> <span class="soft">${name}</span></p>
    <p class="card-value">${whole(one.kept)}</p>
    <p class="soft">rows, ${percent(one.share)} of all lines</p>
    <div class="shares" aria-hidden="true"><span class="share-of stored" style=${{ flexGrow: one.kept }} /><span class="share-of discarded" style=${{ flexGrow: one.discarded }} /></div>
  </div>`;
}

function difference({ present, other }) {
  const more = other.kept - present.kept;
  if (!more) {
    return "As many rows as now.";
  }
  return html`<${Icon} name=${more > 0 ? "up" : "down"} /> ${whole(Math.abs(more))} rows a day ${more > 0 ? "more" : "fewer"} than now. Nothing changes until the setting does.`;
}

function cells(name, one) {
  return [name, one.discard_status, one.kept, one.discarded, one.share];
}
