/** An answer that is kept up to date while somebody looks at it. */

import { useCallback, useEffect, useRef, useState } from "../vendor/hooks.js";
import { ask } from "./answers.js";
import { lock } from "./session.js";

const SLOWEST_SECONDS = 30;
/** Numbers of a page that was just opened move before anybody wonders whether they do: by then nothing is cached of them. */
const FIRST_SECONDS = 1.25;
const NOTHING = { answer: null, url: null, at: null, problem: null, failures: 0, busy: true };

/**
 * The answer to `url` (null asks nothing), asked again every `seconds` (null: not again) while the page is visible;
 * for the first time after `firstSeconds`.
 *
 * {answer, at, problem, isStale, busy, retry}: the last good answer stays through a problem, and that to another URL
 * until it is known what becomes of this one; `isStale` says that it is not the one that is wanted now. `at` is when it
 * came, in milliseconds since 1970.
 */
export function useAnswer(url, seconds, firstSeconds = FIRST_SECONDS) {
  const [found, setFound] = useState(NOTHING);
  const [turn, setTurn] = useState(0);
  const isFirst = useRef(true);
  const retry = useCallback(() => setTurn((before) => before + 1), []);

  useEffect(() => {
    isFirst.current = true;
  }, [url]);

  useEffect(() => {
    if (url === null || document.hidden) {
      return undefined;
    }
    const stop = new AbortController();
    setFound((before) => ({ ...before, busy: true }));
    ask(url, stop.signal).then(
      (answer) => stop.signal.aborted || setFound({ answer, url, at: Date.now(), problem: null, failures: 0, busy: false }),
      (problem) => {
        if (!stop.signal.aborted) {
          lock(problem.status === 401);
          setFound((before) => ({ ...lastOf(url, before), problem, failures: before.failures + 1, busy: false }));
        }
      },
    );
    return () => stop.abort();
  }, [url, turn]);

  useEffect(() => {
    const wait = pause(found, seconds, isFirst.current ? firstSeconds : seconds);
    if (url === null || wait === null) {
      return undefined;
    }
    const timer = setTimeout(() => {
      isFirst.current = false;
      retry();
    }, wait * 1000);
    return () => clearTimeout(timer);
  }, [found, seconds, url]);

  const isWanting = found.url !== url || found.problem !== null;
  useLooks(retry, url !== null && (seconds !== null || isWanting));
  return { ...found, retry, isStale: found.answer !== null && isWanting };
}

/** What was found of this URL: numbers of another one are not what is shown for those that did not come. */
function lastOf(url, found) {
  return found.url === url ? found : { ...NOTHING, failures: found.failures };
}

function pause(found, seconds, next) {
  if (found.busy || document.hidden) {
    return null;
  }
  if (found.problem) {
    const isWorthIt = found.problem.isPassing && (seconds !== null || found.problem.status === 0);
    return isWorthIt ? Math.min((seconds || 5) * 2 ** (found.failures - 1), SLOWEST_SECONDS) : null;
  }
  return seconds === null ? null : Math.min(next, seconds);
}

/** Asks when the page comes into sight, where there is something to ask: what was hidden has asked nothing. */
function useLooks(retry, hasToAsk) {
  useEffect(() => {
    const look = () => !document.hidden && hasToAsk && retry();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [retry, hasToAsk]);
}
