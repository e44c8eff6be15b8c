/** A panel's numbers as a file. */

import { csv } from "./csv.js";
import { save } from "./save.js";

/** Saves {columns, rows} as CSV under the panel's name. */
export function saveTable(name, table) {
  save(`${name.toLowerCase().replace(/\W+/g, "-")}.csv`, "text/csv", csv(table.columns, table.rows));
}
