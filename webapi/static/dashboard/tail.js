/** Lines as they are stored. */

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { ask } from "./answers.js";
import { whole } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { LineList } from "./line-list.js";
import { Panel } from "./panel.js";
import { tail } from "./questions.js";
import { lock } from "./session.js";
import { EMPTY, arrived, dropped, paused, resumed } from "./tail-buffer.js";
import { isMoving } from "./url-state.js";

export function Tail({ state, go, tools }) {
  const [buffer, change, problem, retry] = useTail(tail(state));
  const turn = () => change(buffer.isPaused ? resumed : paused);
  const more = html`<button type="button" class="tool-button" onClick=${turn}>
      <${Icon} name=${buffer.isPaused ? "play" : "pause"} />${buffer.isPaused ? "Resume" : "Pause"}
    </button>
    ${tools}`;
  return html`<${Panel} name="Lines as they come" note=${words(buffer, isMoving(state))} tools=${more} problem=${problem} retry=${retry} hasNumbers=${true}>
    ${buffer.shown.length ? html`<${LineList} lines=${buffer.shown} chosen=${state.line} state=${state} go=${go} label="Lines as they come, newest first" />` : html`<p class="nothing">Waiting for the next line that is stored …</p>`}
  <//>`;
}

function words(buffer, isWindowMoving) {
  const said = [`${whole(buffer.shown.length)} shown`];
  if (!isWindowMoving) {
    said.push("of now, not of the window above");
  }
  if (buffer.isPaused) {
    said.push(`paused, ${whole(buffer.waiting.length)} waiting`);
  }
  if (buffer.dropped) {
    said.push(`${buffer.isExact ? "" : "at least "}${whole(buffer.dropped)} left out, as too many came`);
  }
  return said.join("; ");
}

/** [buffer, change, problem, retry] of the stream at `url`. What comes is shown a few times a second, not one by one. */
function useTail(url) {
  const [buffer, setBuffer] = useState(EMPTY);
  const [problem, setProblem] = useState(null);
  const [turn, setTurn] = useState(0);
  const came = useRef([]);
  useEffect(() => {
    setBuffer(EMPTY);
    setProblem(null);
    const stream = new EventSource(url);
    stream.addEventListener("line", (event) => came.current.push(JSON.parse(event.data)));
    stream.addEventListener("dropped", (event) => setBuffer((before) => dropped(before, JSON.parse(event.data))));
    stream.addEventListener("problem", (event) => setProblem(JSON.parse(event.data)));
    stream.onopen = () => setProblem(null);
    stream.onerror = () => (stream.readyState === EventSource.CLOSED ? reason(url).then(setProblem) : setProblem({ detail: "the stream broke off; it is being taken up again" }));
    const timer = setInterval(() => {
      if (came.current.length) {
        const lines = came.current.splice(0);
        setBuffer((before) => arrived(before, lines));
      }
    }, 250);
    return () => {
      stream.close();
      clearInterval(timer);
      came.current = [];
    };
  }, [url, turn]);
  return [buffer, setBuffer, problem, () => setTurn(turn + 1)];
}

/** Why a stream was refused: a browser does not tell, so it is asked for once more. */
async function reason(url) {
  const stop = new AbortController();
  const found = ask(url, stop.signal).catch((problem) => problem);
  const problem = await Promise.race([found, new Promise((done) => setTimeout(done, 2000))]);
  stop.abort();
  lock(problem?.status === 401);
  return problem?.detail ? problem : { detail: "the stream ended" };
}
