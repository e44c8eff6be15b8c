/** The stored lines that the page is about: a page of them, or as they come. */

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { stillness, useHold } from "./hold.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { lazy } from "./lazy.js";
import { LineList } from "./line-list.js";
import { Older, total, useOlder } from "./older.js";
import { Panel } from "./panel.js";
import { useAnswer } from "./poll.js";
import { LOOK_SECONDS, file, lines as linesUrl } from "./questions.js";
import { discardStatus } from "./setting.js";

const Tail = lazy(() => import("./tail.js").then((it) => it.Tail));

export function Explorer({ state, go, isLive }) {
  const change = () => go({ ...state, tail: !state.tail, line: null }, { replace: true });
  const tools = html`
    <button type="button" class="tool-button" aria-pressed=${state.tail ? "true" : "false"} onClick=${change}>
      <${Icon} name=${state.tail ? "pause" : "play"} />Live tail
    </button>
    ${["csv", "ndjson"].map(
      (format) => html`<a class="tool-button" href=${file(state, format)} download title="All of these lines as ${format.toUpperCase()}">
        <${Icon} name="download" />${format.toUpperCase()}
      </a>`,
    )}`;
  return html`<div id="lines" tabindex="-1">${state.tail ? html`<${Tail} ...${{ state, go, tools }} />` : html`<${Pages} ...${{ state, go, tools, isLive }} />`}</div>`;
}

/** Pages of lines. They stand still while somebody is at them, has gone on to older ones, or looks into one. */
function Pages({ state, go, tools, isLive }) {
  const [box, isNear] = useNearness();
  const [isHeld, held] = useHold();
  const question = linesUrl(state);
  const older = useOlder(question, (cursor) => linesUrl(state, cursor));
  const still = stillness({ isHeld, older, isOpen: state.line !== null });
  const moves = isLive && isNear && !still;
  const found = useAnswer(isNear ? question : null, moves ? LOOK_SECONDS[state.range] : null);
  const first = found.answer;
  const shown = first ? [...first.data, ...older.pages.flatMap((page) => page.data)] : [];
  const last = older.pages.at(-1) || first;
  return html`<div ref=${box} ...${held}>
    <${Panel} name="Lines" note=${first && note(first.meta, isLive && still)} tools=${tools} problem=${found.problem} retry=${found.retry}
      hasNumbers=${Boolean(first)} isBusy=${found.busy}>
      ${first && !shown.length && html`<${Nothing} meta=${first.meta} />`}
      ${shown.length > 0 && html`<${LineList} lines=${shown} chosen=${state.line} state=${state} go=${go} label="Lines, newest first" />`}
      <${Older} older=${older} cursor=${last?.meta.next} name="Older lines" />
    <//>
  </div>`;
}

function Nothing({ meta }) {
  return html`<p class="nothing">
    ${meta.coverage.complete ? "No stored line matches." : "No line that matches was found in the time that a search may take. Narrow the window."}
    ${discardStatus && html` Status ${discardStatus} is counted above, and not stored.`}
  </p>`;
}

function note(meta, still) {
  const some = `${total(meta)} stored${meta.coverage.complete ? "" : ", as far as was looked"}`;
  return still ? `${some}; ${still}` : some;
}

/** [ref, whether it is in sight or nearly]: nobody is asked for lines that nobody scrolls to. */
function useNearness() {
  const box = useRef(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver((seen) => setNear(seen.at(-1).isIntersecting), { rootMargin: "300px" });
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return [box, isNear];
}
