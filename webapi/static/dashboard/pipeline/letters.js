/** Dead letters: what could not be stored, and why. */

import { whole } from "../format.js";
import { stillness, useHold } from "../hold.js";
import { html } from "../html.js";
import { Older, total, useOlder } from "../older.js";
import { Panel } from "../panel.js";
import { useAnswer } from "../poll.js";
import { Letter } from "./letter.js";

/** Seconds between two looks, and to the first one: not when others look. */
const LOOK_SECONDS = 30;
const FIRST_SECONDS = 15;
const LIMIT = 20;

/** `counts` is how many there are by reason, of all that are kept. */
export function Letters({ state, go, counts, isLive, ...panel }) {
  const { reason } = state;
  const url = `/dead-letters?limit=${LIMIT}${reason ? `&reason=${encodeURIComponent(reason)}` : ""}`;
  const older = useOlder(url, (cursor) => `${url}&before=${cursor}`);
  const mayChange = useAnswer("/session", null).answer?.may_change;
  const [isHeld, held] = useHold();
  const still = stillness({ isHeld, older });
  const found = useAnswer(url, isLive && !still ? LOOK_SECONDS : null, FIRST_SECONDS);
  const first = found.answer;
  const letters = first ? [...first.data, ...older.pages.flatMap((page) => page.data)] : [];
  const before = (older.pages.at(-1) || first)?.meta.next;
  const choose = (name) => go({ ...state, reason: name === reason ? null : name });
  const table = first && { columns: ["id", "created", "reason", "detail", "topic", "partition", "offset", "line", "text"], rows: letters.map(cells) };
  const reasons = { ...first?.meta.by_reason, ...counts, ...(reason && { [reason]: counts?.[reason] ?? 0 }) };
  const lead = html`<${Reasons} counts=${reasons} reason=${reason} choose=${choose} />
    ${mayChange === false && letters.length > 0 && html`<p class="soft">Who has a key with the scope admin can send them again.</p>`}`;
  const note = first && `${total(first.meta)}${isLive && still ? `; ${still}` : ""}`;
  return html`<div id="letters" tabindex="-1" ...${held}><${Panel} name="Dead letters" note=${note} lead=${lead} table=${table} problem=${found.problem} retry=${found.retry}
    hasNumbers=${Boolean(first)} isBusy=${found.busy} ...${panel}>
    ${first && !letters.length && html`<p class="nothing">Nothing was rejected${reason && ` for the reason ${reason}`}.</p>`}
    <ul class="letters">
      ${letters.map((one) => html`<${Letter} key=${one.id} one=${one} mayChange=${mayChange} />`)}
    </ul>
    <${Older} older=${older} cursor=${before} name="Older letters" />
  <//></div>`;
}

function Reasons({ counts, reason, choose }) {
  return html`<ul class="reasons" aria-label="Reasons">
    ${Object.entries(counts).map(
      ([name, number]) => html`<li key=${name}>
        <button type="button" class="tool-button" aria-pressed=${name === reason ? "true" : "false"} onClick=${() => choose(name)}>
          ${name} <strong>${whole(number)}</strong>
        </button>
      </li>`,
    )}
  </ul>`;
}

function cells(one) {
  return [one.id, one.created_at, one.reason, one.detail, one.topic, one.partition, one.offset, one.line, one.text];
}
