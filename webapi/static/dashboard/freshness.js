/** How fresh the numbers are, and where they are not. */

import { useEffect, useState } from "../vendor/hooks.js";
import { duration } from "./format.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";
import { Moment } from "./moment.js";

/** Seconds behind from which on something is late. */
const BEHIND_SECONDS = 10;
/** What is read out when a level is reached; the seconds of the badge are not. */
const LEVELS = {
  away: "no answer",
  refused: "not answered: see the search",
  behind: "numbers are behind",
  unknown: "numbers may be behind",
  fresh: "numbers are fresh",
  waiting: "",
};

/**
 * How an answer stands: {level, lag, dataTo}. The server's clock says how old an answer was when it
 * was given, the viewer's (`now`, `found.at`) how long ago that is: one that is wrong changes nothing. Pure.
 *
 * `allowance` is how many seconds old it may have been when it was given, and `pause` after how many more there is to
 * be another: Infinity where nobody asks again.
 */
export function freshness(found, now, allowance = 0, pause = 0) {
  const said = found.answer;
  const gone = found.at === null ? 0 : Math.max(0, (now - found.at) / 1000);
  const dataTo = oldest(said);
  const late = dataTo === null ? null : Math.max(0, (Date.parse(said.as_of) - Date.parse(dataTo)) / 1000);
  const lag = late === null ? null : late + gone;
  if (found.problem) {
    return { level: found.problem.status === 400 ? "refused" : "away", lag, dataTo };
  }
  if (!said) {
    return { level: "waiting", lag, dataTo };
  }
  if (lag === null) {
    return { level: "unknown", lag, dataTo };
  }
  const most = BEHIND_SECONDS + allowance;
  const isBehind = lag > most + pause || (late > most && !isOver(said, dataTo));
  return { level: isBehind ? "behind" : "fresh", lag, dataTo };
}

/** Whether all of the answer's window is counted, however much is still to be counted after it. */
function isOver(said, dataTo) {
  return Boolean(said.window) && Date.parse(said.window.to) <= Date.parse(dataTo);
}

/** Up to when the part of an answer that was worked out first is whole; null where that is not known. Pure. */
function oldest(said) {
  const parts = Object.values(said || {}).flatMap((part) => part?.meta?.data_to || []);
  return said?.data_to ? [said.data_to, ...parts].sort((one, other) => Date.parse(one) - Date.parse(other))[0] : null;
}

/** The badge; `allowance` and `pause` are as above. */
export function Freshness({ found, allowance, pause, isLive, retry }) {
  const now = useSeconds(isLive);
  const { level, lag, dataTo } = freshness(found, now, allowance, pause);
  const ago = lag === null ? "" : duration(lag);
  const icon = { away: "cross", refused: "warning", behind: "warning", unknown: "warning" }[level];
  return html`<div class="freshness is-${level}">
    <span class="for-readers" role="status">${LEVELS[level]}</span>
    ${icon ? html`<${Icon} name=${icon} />` : html`<span class="dot ${isLive && level === "fresh" ? "is-live" : ""}" />`}
    <span class="freshness-words">${words(level, dataTo, ago)}</span>
    ${level === "away" && html`<button type="button" class="text-button" onClick=${retry}>Retry</button>`}
  </div>`;
}

function words(level, dataTo, ago) {
  const until = dataTo && html`<span class="nowrap">data to <${Moment} at=${dataTo} /></span>`;
  if (level === "away") {
    return dataTo ? html`no answer, ${until}` : "no answer";
  }
  if (level === "refused") {
    return LEVELS.refused;
  }
  if (level === "waiting") {
    return "asking …";
  }
  if (level === "unknown") {
    return "not known up to when all is counted";
  }
  return html`${until}, <span class="nowrap">${level === "behind" ? `behind by ${ago}` : `lag ${ago}`}</span>`;
}

/** The present, each second while somebody looks. */
function useSeconds(isLive) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isLive]);
  return Math.max(now, Date.now());
}
