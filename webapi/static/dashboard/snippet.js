/** A text to copy. */

import { CopyButton } from "./copy-button.js";
import { html } from "./html.js";

export function Snippet({ label, text }) {
  return html`<div class="snippet">
    <pre tabindex="0" role="region" aria-label=${label}><code>${text}</code></pre>
    <${CopyButton} kind="tool-button" text=${text} />
  </div>`;
}
