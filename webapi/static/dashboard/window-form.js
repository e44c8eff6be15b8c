/** The form in which a window of time is chosen. */

import { useEffect } from "../vendor/hooks.js";
import { html } from "./html.js";
import { RANGE_SECONDS, zoomed } from "./url-state.js";

/** `box` refers to the `details` that it stands in, which it closes when it is left. */
export function WindowForm({ state, go, box }) {
  const [from, to] = state.range === "custom" ? [state.from, state.to] : recent(state.range);
  const judge = (event, problem) => event.currentTarget.elements.to.setCustomValidity(problem);
  const submit = (event) => {
    event.preventDefault();
    const asked = new FormData(event.target);
    const [first, last] = [Date.parse(asked.get("from")), Date.parse(asked.get("to"))];
    judge(event, first < last ? "" : "The end must come after the beginning");
    if (event.target.reportValidity()) {
      box.current.open = false;
      go(zoomed(state, first, last));
    }
  };
  useLeaving(box);
  return html`<form class="popover" onSubmit=${submit} onInput=${(event) => judge(event, "")}>
    <label>From<input type="datetime-local" name="from" required step="60" defaultValue=${local(from)} /></label>
    <label>To<input type="datetime-local" name="to" required step="60" defaultValue=${local(to)} /></label>
    <p class="note">Times of your zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}.</p>
    <button type="submit" class="button">Show</button>
  </form>`;
}

/** Has Escape, and a press elsewhere, close the form. */
function useLeaving(box) {
  useEffect(() => {
    const { current: details } = box;
    const leave = (event) => {
      const isEscape = event.key === "Escape";
      if (isEscape || (event.type === "pointerdown" && !details.contains(event.target))) {
        details.open = false;
      }
      if (isEscape) {
        details.querySelector("summary").focus();
      }
    };
    addEventListener("keydown", leave);
    addEventListener("pointerdown", leave);
    return () => {
      removeEventListener("keydown", leave);
      removeEventListener("pointerdown", leave);
    };
  }, []);
}

function recent(range) {
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  return [now - RANGE_SECONDS[range] * 1000, now];
}

/** What an input of a local time wants: 2025-11-25T14:03. */
function local(moment) {
  const at = new Date(moment);
  return new Date(moment - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
