/** The parts of an answer: where one failed alone, what it last was of the same question. */

import { useRef } from "../vendor/hooks.js";

/** A function that gives a part by its name: {answer, problem}, of which with a problem the answer is an older one. */
export function useParts({ url, answer }) {
  const kept = useRef({ url: null, good: {} });
  kept.current = keep(kept.current, url, answer || {});
  const { good } = kept.current;
  return (name) => ({ answer: good[name] || null, problem: answer?.[name]?.problem || null });
}

/** What is good of an answer, and what was before of those to the same question. Pure. */
function keep(before, url, answer) {
  const good = Object.entries(answer).filter(([, part]) => !part?.problem);
  return { url, good: { ...(before.url === url ? before.good : {}), ...Object.fromEntries(good) } };
}
