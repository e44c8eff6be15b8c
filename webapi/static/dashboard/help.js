/** What the keys do, and what can be searched for. */

import { Dialog } from "./dialog.js";
import { html } from "./html.js";

const KEYS = [
  ["/", "search"],
  ["l", "live updates on and off"],
  ["t", "lines as they come"],
  ["1 … 4", "15 minutes, hour, 24 hours, 7 days"],
  ["?", "this help"],
  ["Esc", "close what is open"],
];

const SEARCHES = [
  ["status:5xx", "a status, a class, or a list (404,500)"],
  ["path:/api", "what the path contains; so does a word alone"],
  ["route:/products/{id}", "a route"],
  ["ip:10.0.0.0/8", "an address or a network"],
  ["latency:>500", "milliseconds; also <=20, 100..200"],
  ["-method:GET", "- before a term turns it around"],
];

export function Help({ onClose }) {
  return html`<${Dialog} name="Help" onClose=${onClose}>
    <h3>Keys</h3>
    <dl class="keys">${KEYS.map(([key, words]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${words}</dd></div>`)}</dl>
    <h3>Search</h3>
    <dl class="keys">${SEARCHES.map(([text, words]) => html`<div><dt><code>${text}</code></dt><dd>${words}</dd></div>`)}</dl>
    <p class="soft">All terms must hold. A click on a name, a class or a field adds one; a click on a chip turns it around. Drag over a chart to zoom in; back brings back what was.</p>
    <p class="soft">Figures and charts are of all traffic; lines are those that are stored. <a href="/docs">The API</a> answers the same.</p>
  <//>`;
}
