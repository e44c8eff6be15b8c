/** Small pictures, drawn as lines in the colour of the text beside them; they are never the only sign. */

import { html } from "./html.js";

const PATHS = {
  search: "M7 12.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM11 11l3.5 3.5",
  close: "M3.5 3.5l9 9m0-9l-9 9",
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  light: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  dark: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7Z",
  help: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2C8.4 8.6 8 9 8 10M8 12.6v.2",
  play: "M4.5 2.5v11l8.5-5.5z",
  pause: "M5 3v10M11 3v10",
  table: "M2 3h12v10H2zM2 6.5h12M2 9.8h12M6.5 3v10",
  download: "M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11",
  warning: "M8 2L1.5 13.5h13zM8 6.5v3.2M8 11.6v.2",
  cross: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM5.8 5.8l4.4 4.4m0-4.4l-4.4 4.4",
  check: "M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM5 8.2l2.2 2.2L11 6",
  up: "M8 12.5V4M4.5 7.5L8 4l3.5 3.5",
  down: "M8 3.5V12M4.5 8.5L8 12l3.5-3.5",
  same: "M4 8h8",
  exclude: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM3.8 3.8l8.4 8.4",
  filter: "M2 3h12l-4.7 5.6v4.2l-2.6 1V8.6z",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  back: "M9.5 3.5L5 8l4.5 4.5",
  next: "M6.5 3.5L11 8l-4.5 4.5",
  retry: "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3",
  out: "M9.5 2.5h-6v11h6M7 8h7.5M11.5 5l3 3-3 3",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
