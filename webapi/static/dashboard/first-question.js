/** The first page's question, asked while the rest of the page still loads: its answer waits for who asks for it. */

import { foresee } from "./answers.js";
import { overview } from "./questions.js";
import { read } from "./url-state.js";

if (!document.hidden) {
  foresee(location.pathname === "/pipeline" ? "/pipeline/status" : overview(read(location.search)));
}
