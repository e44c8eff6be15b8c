/** One dead letter, and a way to send it again: a line also as it should have been. */

import { useState } from "../../vendor/hooks.js";
import { post } from "../answers.js";
import { bytes } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icon.js";
import { Moment } from "../moment.js";

export function Letter({ one, mayChange }) {
  const [text, setText] = useState(one.text);
  const [isSending, setSending] = useState(false);
  const [hasSent, setSent] = useState(false);
  const [problem, setProblem] = useState("");
  const isSent = hasSent || one.retried_at !== null;
  const isOffered = mayChange && !isSent;
  const isChanged = text !== one.text;
  const send = (event) => {
    event.preventDefault();
    setSending(true);
    post(`/dead-letters/${one.id}/retry`, isChanged ? { replace: text } : {})
      .then(() => setSent(true), (refusal) => setProblem(refusal.detail))
      .then(() => setSending(false));
  };
  return html`<li class="letter"><form onSubmit=${send}>
    <p class="letter-head"><span class="reason">${one.reason}</span> <${Moment} at=${one.created_at} withDay=${true} />
      ${isSent && html`<span class="retried" role="status"><${Icon} name="check" />sent again</span>`}
      ${isOffered && html`<${Send} id=${one.id} isChanged=${isChanged} isSending=${isSending} />`}</p>
    <p class="soft">${place(one)}</p>
    <p>${one.detail}</p>
    ${isOffered && isLine(one) ? html`<${Field} one=${one} onText=${setText} />` : html`<${Text} one=${one} />`}
    <p class="is-worse" role="alert">${isSent ? "" : problem}</p>
  </form></li>`;
}

function Send({ id, isChanged, isSending }) {
  const how = isChanged ? "as changed" : "again";
  return html`<button type="submit" class="tool-button" disabled=${isSending} aria-label="Send letter ${id} ${how}">
    <${Icon} name="retry" />Send ${how}
  </button>`;
}

function Field({ one, onText }) {
  return html`<textarea aria-label="Text of letter ${one.id}" rows="1" dir="auto" spellcheck=${false} autocomplete="off"
    defaultValue=${one.text} onInput=${(event) => onText(event.target.value)} />`;
}

function Text({ one }) {
  const rest = !one.is_whole && html`<span class="soft"> … of ${bytes(one.bytes)}</span>`;
  const name = `Text of letter ${one.id}`;
  return html`<pre tabindex="0" role="region" aria-label=${name}><code><bdi>${one.text}</bdi></code>${rest}</pre>`;
}

/** Whether what came can be changed: only a line can, of which all is here as it was. */
function isLine(one) {
  return one.line !== null && one.is_whole && !one.text.includes("\ufffd");
}

function place(one) {
  const line = one.line === null ? "the record as a whole" : `line ${one.line}`;
  return `${one.topic || "a topic that is gone"}, partition ${one.partition}, offset ${one.offset}, ${line}`;
}
