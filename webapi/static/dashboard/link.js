/** A link to another state of the page: a real one, which can be copied and opened elsewhere. */

import { html } from "./html.js";
import { write } from "./url-state.js";

/** `then` is called after the page moved there; `hash` names a part of it. */
export function Link({ to, go, path = location.pathname, hash = "", children, then, ...rest }) {
  const follow = (event) => {
    if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      go(to, { path, hash });
      then?.();
    }
  };
  return html`<a href=${path + write(to) + hash} onClick=${follow} ...${rest}>${children}</a>`;
}
