/** Made-up lines for who has none yet: a button where they are allowed, else the command that sends them. */

import { useState } from "../vendor/hooks.js";
import { post } from "./answers.js";
import { duration } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { useAnswer } from "./poll.js";
import { hasDemoTraffic, receiverUrl } from "./setting.js";
import { Snippet } from "./snippet.js";
import { isMoving } from "./url-state.js";

export function DemoTraffic({ state, go }) {
  const mayChange = useAnswer(hasDemoTraffic ? "/session" : null, null).answer?.may_change;
  if (!hasDemoTraffic || mayChange === false) {
    return html`<${Snippet} label="The generator" text=${`TARGET_API_URL=${receiverUrl} tally generator`} />`;
  }
  return html`<${Generate} onBegun=${() => go(watching(state), { replace: true })} />`;
}

function Generate({ onBegun }) {
  const [isSending, setSending] = useState(false);
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState("");
  const send = () => {
    setSending(true);
    post("/demo-traffic")
      .then(
        (answer) => {
          setSaid(`Lines come in for ${duration(answer.seconds)}; the first are counted in a moment.`);
          setProblem("");
          onBegun();
        },
        (refusal) => setProblem(refusal.detail),
      )
      .then(() => setSending(false));
  };
  return html`<p class="demo">
    <button type="button" class="button is-main" disabled=${isSending} onClick=${send}><${Icon} name="play" />Generate demo traffic</button>
    <span class="soft" role="status">${said}</span>
    <span class="is-worse" role="alert">${problem}</span>
  </p>`;
}

/** The state in which one sees them come. */
function watching(state) {
  return { ...state, live: true, ...(isMoving(state) ? {} : { range: "1h", from: null, to: null }) };
}
