/** A component that is loaded when it is first shown, so that nobody waits for what nobody asked for. */

import { useEffect, useState } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/** `load` gives a promise of the component: `() => import("./help.js").then((it) => it.Help)`. */
export function lazy(load) {
  let loaded = null;
  return function (props) {
    const [found, setFound] = useState(loaded && { component: loaded });
    useEffect(() => {
      if (!found) { // Asks not for `loaded`: another that was shown may have loaded it since this one was drawn.
        load().then(
          (component) => setFound({ component: (loaded = component) }),
          () => setFound({ component: Missing }),
        );
      }
    }, []);
    return found && html`<${found.component} ...${props} />`;
  };
}

/** The server is away, or has become another version since the page was loaded: the address has all of its state. */
function Missing() {
  return html`<p class="trouble" role="alert">
    <${Icon} name="warning" /><span>This part of the page could not be loaded.</span>
    <button type="button" class="text-button" onClick=${() => location.reload()}>Load the page anew</button>
  </p>`;
}
