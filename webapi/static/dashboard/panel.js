/** The frame of a panel: its name, its tools, and what to say where its numbers are not those that are wanted. */

import { useId } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { lazy } from "./lazy.js";

const DataTable = lazy(() => import("./data-table.js").then((it) => it.DataTable));

/**
 * `table` is {columns, rows} with plain cells; `isTable` shows it in place of `children`, and `onTable` is told when
 * somebody wants that changed; `lead` stands above either, whatever else there is. `problem` is {detail}; `hasNumbers` says that older numbers are there to be shown, and
 * `isOld` that those shown are not of now, which is said elsewhere.
 */
export function Panel(props) {
  const { name, note, legend, lead, tools, table, isTable, onTable, problem, hasNumbers, isOld, isBusy, retry, children, kind = "" } = props;
  const id = useId();
  const body = isTable && table ? html`<${DataTable} name=${name} ...${table} />` : children;
  const isShown = !problem || hasNumbers;
  return html`<section class="panel ${kind}" aria-labelledby=${id} aria-busy=${isBusy ? "true" : "false"}>
    <header class="panel-head">
      <h2 id=${id}>${name}</h2>
      ${note && html`<p class="note">${note}</p>`}
      ${legend}
      <div class="panel-tools">
        ${tools}
        ${table && onTable && html`<${TableSwitch} name=${name} isTable=${isTable} onTable=${onTable} />`}
        ${table && html`<${CsvButton} name=${name} table=${table} />`}
      </div>
    </header>
    ${problem && html`<${Trouble} problem=${problem} hasNumbers=${hasNumbers} retry=${retry} />`}
    ${(isShown || lead) && html`<div class="panel-body ${problem || isOld ? "is-stale" : ""}">${lead}${isShown && body}</div>`}
  </section>`;
}

/** What is wrong, where it is wrong. */
export function Trouble({ problem, hasNumbers, retry }) {
  return html`<p class="trouble" role="alert">
    <${Icon} name="warning" />
    <span>${hasNumbers ? "These are the last good numbers: " : ""}${problem.detail}</span>
    ${retry && html`<button type="button" class="text-button" onClick=${retry}>Retry</button>`}
  </p>`;
}

function TableSwitch({ name, isTable, onTable }) {
  return html`<button
    type="button"
    class="icon-button"
    aria-pressed=${isTable ? "true" : "false"}
    aria-label="Show ${name} as table"
    title="Show as table"
    onClick=${onTable}
  >
    <${Icon} name="table" />
  </button>`;
}

function CsvButton({ name, table }) {
  const download = () => import("./table-file.js").then((it) => it.saveTable(name, table));
  return html`<button type="button" class="icon-button" aria-label="${name} as CSV" title="CSV" onClick=${download}>
    <${Icon} name="download" />
  </button>`;
}
