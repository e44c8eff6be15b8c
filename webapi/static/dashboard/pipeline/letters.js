/** Dead letters: what could not be stored, why, and a way to try it again. */

import { useState } from "../../vendor/hooks.js";
import { post } from "../answers.js";
import { bytes, whole } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Moment } from "../moment.js";
import { Older, total, useOlder } from "../older.js";
import { Panel } from "../panel.js";
import { useAnswer } from "../poll.js";

/** Seconds between two looks, and to the first one: not when others look. */
const LOOK_SECONDS = 30;
const FIRST_SECONDS = 15;
const LIMIT = 20;

export function Letters({ isLive, ...panel }) {
  const [reason, setReason] = useState(null);
  const url = `/dead-letters?limit=${LIMIT}${reason ? `&reason=${encodeURIComponent(reason)}` : ""}`;
  const older = useOlder(url, (cursor) => `${url}&before=${cursor}`);
  const mayChange = useAnswer("/session", null).answer?.may_change;
  const found = useAnswer(url, isLive && !older.pages.length ? LOOK_SECONDS : null, FIRST_SECONDS);
  const first = found.answer;
  const letters = first ? [...first.data, ...older.pages.flatMap((page) => page.data)] : [];
  const before = (older.pages.at(-1) || first)?.meta.next;
  const choose = (name) => setReason(name === reason ? null : name);
  const table = first && { columns: ["id", "created", "reason", "detail", "topic", "partition", "offset", "line", "text"], rows: letters.map(cells) };
  const lead = first && html`<${Reasons} counts=${first.meta.by_reason} reason=${reason} choose=${choose} />
    ${mayChange === false && letters.length > 0 && html`<p class="soft">Who has a key with the scope admin can send them again.</p>`}`;
  return html`<div id="letters" tabindex="-1"><${Panel} name="Dead letters" note=${first && total(first.meta)} lead=${lead} table=${table} problem=${found.problem} retry=${found.retry}
    hasNumbers=${Boolean(first)} isBusy=${found.busy} ...${panel}>
    ${first && !letters.length && html`<p class="nothing">Nothing was rejected.</p>`}
    <ul class="letters">${letters.map((one) => html`<${Letter} key=${one.id} one=${one} mayChange=${mayChange} />`)}</ul>
    <${Older} older=${older} cursor=${before} name="Older letters" />
  <//></div>`;
}

function Reasons({ counts, reason, choose }) {
  return html`<ul class="reasons" aria-label="Reasons">
    ${Object.entries(counts).map(
      ([name, number]) => html`<li>
        <button type="button" class="tool-button" aria-pressed=${name === reason ? "true" : "false"} onClick=${() => choose(name)}>
          ${name} <strong>${whole(number)}</strong>
        </button>
      </li>`,
    )}
  </ul>`;
}

function Letter({ one, mayChange }) {
  return html`<li class="letter">
    <p class="letter-head"><span class="reason">${one.reason}</span> <${Moment} at=${one.created_at} withDay=${true} />
      <${Retry} one=${one} mayChange=${mayChange} /></p>
    <p class="soft">${place(one)}</p>
    <p>${one.detail}</p>
    <pre tabindex="0" role="region" aria-label="Text of letter ${one.id}"><code><bdi>${one.text}</bdi></code>${one.is_whole ? "" : html`<span class="soft"> … of ${bytes(one.bytes)}</span>`}</pre>
  </li>`;
}

function Retry({ one, mayChange }) {
  const [state, setState] = useState(one.retried_at ? "sent" : "idle");
  const [detail, setDetail] = useState("");
  const send = () => {
    setState("sending");
    post(`/dead-letters/${one.id}/retry`).then(
      () => setState("sent"),
      (problem) => {
        setState("idle");
        setDetail(problem.detail);
      },
    );
  };
  if (state === "sent") {
    return html`<span class="retried" role="status"><${Icon} name="check" />sent again</span>`;
  }
  return mayChange && html`<span class="retry"><span class="is-worse" role="alert">${detail}</span>
    <button type="button" class="tool-button" disabled=${state === "sending"} onClick=${send} aria-label="Send letter ${one.id} again"><${Icon} name="retry" />Send again</button></span>`;
}

function place(one) {
  const line = one.line === null ? "the record as a whole" : `line ${one.line}`;
  return `${one.topic || "a topic that is gone"}, partition ${one.partition}, offset ${one.offset}, ${line}`;
}

function cells(one) {
  return [one.id, one.created_at, one.reason, one.detail, one.topic, one.partition, one.offset, one.line, one.text];
}
