/** Which lines the page is about: a search box, and a chip for each term that holds. */

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { narrowed, negated, parse, removed, said } from "./terms.js";

/** `problem` is what the server said of the terms, where it could not understand them. */
export function Filters({ state, go, problem }) {
  const change = (terms) => go({ ...state, terms, misread: null });
  return html`<div class="filters" tabindex="-1">
    <${Search} terms=${state.terms} misread=${state.misread} change=${change} problem=${problem} />
    ${
      state.terms.length > 0 &&
      html`<ul class="chips" aria-label="Filters">
        ${state.terms.map((one, index) => html`<${Chip} key=${index} ...${{ one, index, state, change }} />`)}
        ${
          state.terms.length > 1 &&
          html`<li><button type="button" class="text-button" onClick=${() => change([])}>Clear all</button></li>`
        }
      </ul>`
    }
  </div>`;
}

/** `misread` is a search that was not understood, to be mended. */
function Search({ terms, misread, change, problem }) {
  const input = useRef(null);
  const [wrong, setWrong] = useState({}); // with the terms beside which it was said: with others it is past
  useEffect(() => {
    input.current.value = misread ?? "";
  }, [misread]);
  const submit = (event) => {
    event.preventDefault();
    const found = parse(input.current.value);
    if (found.problem) {
      setWrong({ terms, words: `character ${found.problem.character}: ${found.problem.detail}` });
    } else {
      input.current.value = "";
      change(found.terms.reduce(narrowed, terms));
    }
  };
  const told = (wrong.terms === terms && wrong.words) || problem;
  return html`<form class="search" role="search" onSubmit=${submit}>
    <${Icon} name="search" />
    <input
      id="search"
      ref=${input}
      type="search"
      name="q"
      autocomplete="off"
      spellcheck=${false}
      placeholder="status:5xx  path:/api  -method:GET  latency:>500"
      aria-label="Filter lines"
      aria-describedby=${told ? "search-problem" : null}
      aria-invalid=${told ? "true" : null}
    />
    <kbd aria-hidden="true">/</kbd>
    ${told && html`<p id="search-problem" class="search-problem" role="alert">${told}</p>`}
  </form>`;
}

function Chip({ one, index, state, change }) {
  const { field, verb, values } = said(one);
  const words = `${field} ${verb} ${values.join(" or ")}`;
  const turn = () => change(negated(state.terms, index));
  const remove = (event) => {
    // The chip after it takes its place, and has the focus then; the last one's goes to the one before.
    if (index === state.terms.length - 1) {
      const chip = event.currentTarget.closest(".chip");
      (chip.previousElementSibling?.querySelector(".chip-remove") || chip.closest(".filters")).focus();
    }
    change(removed(state.terms, index));
  };
  return html`<li class="chip ${one.negated ? "is-negated" : ""}">
    <button type="button" class="chip-words" onClick=${turn} title="Turn around" aria-label="${words}; turn around">
      <span class="chip-field">${field}</span>${" "}<span class="chip-verb">${verb}</span>${" "}
      <bdi class="chip-values">${values.join(verb === "is not" ? " nor " : " or ")}</bdi>
    </button>
    <button type="button" class="chip-remove" onClick=${remove} aria-label="Remove: ${words}">
      <${Icon} name="close" />
    </button>
  </li>`;
}
