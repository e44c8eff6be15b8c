/** Pages of a list after its first, by their cursors. */

import { useState } from "../vendor/hooks.js";
import { ask } from "./answers.js";
import { whole } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/** The pages after the first of what is asked, `next(cursor)` being the URL of one; another question has none yet. */
export function useOlder(question, next) {
  const none = { question, pages: [], busy: false, problem: null };
  const [found, setFound] = useState(none);
  const own = found.question === question ? found : none;
  const load = (cursor) => {
    setFound({ ...own, busy: true, problem: null });
    ask(next(cursor)).then(
      (page) => setFound({ ...own, pages: [...own.pages, page], busy: false, problem: null }),
      (problem) => setFound({ ...own, busy: false, problem }),
    );
  };
  return { ...own, load };
}

/** What leads to the next page, where there is one, and why the last one did not come. */
export function Older({ older, cursor, name }) {
  return html`
    ${older.problem && html`<p class="trouble" role="alert"><${Icon} name="warning" />${older.problem.detail}</p>`}
    ${cursor && html`<p class="more"><button type="button" class="button" disabled=${older.busy} onClick=${() => older.load(cursor)}>
      ${older.busy ? "Loading …" : name}
    </button></p>`}`;
}

/** A total as an answer's `meta` has it. */
export function total({ total: number, total_is: kind }) {
  return `${kind === "exact" ? "" : "at least "}${whole(number)}`;
}
