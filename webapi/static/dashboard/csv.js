/** Tables as CSV (RFC 4180). Pure. */

/** What spreadsheets take for a formula's beginning. */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * The CSV of a table: `columns` are its heads, `rows` lists of cells.
 *
 * A text that a spreadsheet would take for a formula has an apostrophe before it; a number stays one.
 */
export function csv(columns, rows) {
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function cell(value) {
  if (value === null || value === undefined) {
    return "";
  }
  const text = typeof value === "number" ? String(value) : guarded(String(value));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function guarded(text) {
  return FORMULA.test(text) ? `'${text}` : text;
}
