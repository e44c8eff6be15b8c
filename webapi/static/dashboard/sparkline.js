/** A small line of what a figure was over the window. */

import { html } from "./html.js";
import { areaUnder, polyline, thinned } from "./scale.js";

const WIDTH = 120;
const HEIGHT = 28;
const MOST = 60;

/** `values` may have nulls where there is none; it is a picture of what the chart tells in full. */
export function Sparkline({ values }) {
  const points = polyline(thinned(values, MOST), WIDTH, HEIGHT - 2);
  return html`<svg class="sparkline" viewBox="0 -1 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
    ${points && html`<polygon points=${areaUnder(points, HEIGHT)} />`}
    <polyline points=${points} />
  </svg>`;
}
