/** A panel's numbers as a plain table. */

import { whole } from "./format.js";
import { html } from "./html.js";

/** `rows` are lists of cells; numbers stand at the right with all their digits. */
export function DataTable({ name, columns, rows }) {
  const isNumber = columns.map((_, index) => rows.some((row) => typeof row[index] === "number"));
  const kind = (index) => (isNumber[index] ? "number" : "");
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${name} as table">
    <table class="data-table">
      <thead>
        <tr>
          ${columns.map((column, index) => html`<th scope="col" class=${kind(index)}>${column}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr>
            ${row.map((value, index) => html`<td class=${kind(index)}>${shown(value)}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function shown(value) {
  if (value === null || value === undefined) {
    return "–";
  }
  return typeof value === "number" ? (Number.isInteger(value) ? whole(value) : String(Math.round(value * 1e4) / 1e4)) : value;
}
