/** A component that is drawn anew only where `isSame` says that something it shows changed. */

import { Component } from "../vendor/preact.js";
import { html } from "./html.js";

export function memo(Drawn, isSame) {
  return class extends Component {
    shouldComponentUpdate(next) {
      return !isSame(this.props, next);
    }

    render(props) {
      return html`<${Drawn} ...${props} />`;
    }
  };
}
