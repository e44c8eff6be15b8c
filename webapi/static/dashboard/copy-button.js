/** A button that puts a text on the clipboard, and says whether it is there. */

import { useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

export function CopyButton({ text, name = "Copy", kind = "button" }) {
  const [said, setSaid] = useState(name);
  const copy = () => write(text).then(() => setSaid("Copied"), () => setSaid("Could not copy"));
  return html`<button type="button" class=${kind} onClick=${copy} aria-live="polite"><${Icon} name="copy" />${said}</button>`;
}

/** Pages that came over plain HTTP from elsewhere have no clipboard: that rejects, too. */
async function write(text) {
  await navigator.clipboard.writeText(text);
}
