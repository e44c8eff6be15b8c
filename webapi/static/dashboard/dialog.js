/** A dialog above the page: the browser keeps the focus in it, and Escape closes it. */

import { useEffect, useRef } from "../vendor/hooks.js";
import { html } from "./html.js";
import { Icon } from "./icon.js";

/** `onClose` is called when it is closed; without it, it cannot be. */
export function Dialog({ name, onClose, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before?.focus?.();
  }, []);
  // Of those that cannot be closed Chromium lets a second Escape close one all the same.
  const closed = onClose || (() => dialog.current?.showModal());
  const outside = (event) => event.target === dialog.current && onClose?.();
  const closedBy = onClose ? null : "none";
  return html`<dialog ref=${dialog} aria-label=${name} closedby=${closedBy} onClose=${closed} onClick=${outside}>
    <div class="dialog-body">
      <header>
        <h2>${name}</h2>
        ${onClose && html`<button type="button" class="icon-button" onClick=${onClose} aria-label="Close"><${Icon} name="close" /></button>`}
      </header>
      ${children}
    </div>
  </dialog>`;
}
