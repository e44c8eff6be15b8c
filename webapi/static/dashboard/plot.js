/** A chart over time by uPlot: drawn by hand, told in words to who does not see it, moved in by arrow keys. */

import { useEffect, useRef, useState } from "../vendor/hooks.js";
import { render } from "../vendor/preact.js";
import uPlot from "../vendor/uplot.js";
import { axisCount, day, minute, span, utcSpan } from "./format.js";
import { html } from "./html.js";
import { roundTop, wholeSteps } from "./scale.js";
import { useIsDark } from "./theme-choice.js";

const AXIS_WIDTH = 58;
// Of the widest word below the chart (30 Sept); half of one that stands at its end is beyond it.
const TIME_WIDTH = 50;
const SYNC = "traffic";

/**
 * `columns` are {step, start, end, middles}, `lists` what uPlot is to draw (one list for each of `series`, which are
 * made of the page's colours by `series(colours)`), `entries(index)` what a step is: [{name, value, mark}] in words.
 * `onZoom(from, to)` is told of a dragged stretch, or a step that was clicked, in milliseconds.
 */
export function Plot({ label, columns, lists, series, entries, axis = axisCount, onZoom, dataTo }) {
  const box = useRef(null);
  const plot = useRef(null);
  const latest = useRef(null);
  const [index, setIndex] = useState(null);
  const isDark = useIsDark();
  latest.current = { columns, entries, onZoom, dataTo };

  useEffect(() => {
    const node = box.current;
    const made = new uPlot(optionsOf(node, series, axis, latest), [columns.middles, ...lists], node);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize(sizeOf(node)));
    watch.observe(node);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [isDark, lists.length]);

  useEffect(() => plot.current.setData([columns.middles, ...lists]), [columns]);

  const last = columns.middles.length - 1;
  const at = index === null ? last : Math.min(index, last);
  const move = (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      const next = Math.max(0, Math.min(to, last));
      setIndex(next);
      plot.current.setCursor({ left: plot.current.valToPos(columns.middles[next], "x"), top: 20 });
    } else if (event.key === "Enter") {
      onZoom(...stepAt(columns, at));
    } else if (event.key === "Escape") {
      plot.current.setCursor({ left: -10, top: -10 });
    }
  };
  return html`<div
    class="plot"
    ref=${box}
    tabindex="0"
    role="slider"
    aria-label="${label}; arrow keys move, Enter zooms in"
    aria-valuemin="0"
    aria-valuemax=${Math.max(last, 0)}
    aria-valuenow=${Math.max(at, 0)}
    aria-valuetext=${last < 0 ? "nothing" : sentence(columns, at, entries)}
    onKeyDown=${move}
  />`;
}

function optionsOf(box, series, axis, latest) {
  const style = getComputedStyle(box);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const font = `12px ${style.fontFamily}`;
  const line = { stroke: colour("soft"), font, ticks: { show: false } };
  return {
    ...sizeOf(box),
    padding: [10, TIME_WIDTH / 2, 0, 0],
    legend: { show: false },
    scales: {
      x: { range: () => [latest.current.columns.start, latest.current.columns.end] },
      y: { range: (_, __, most) => [0, roundTop(most)] },
    },
    axes: [
      { ...line, grid: { show: false }, size: 26, space: 70, values: (_, splits) => timesOf(splits) },
      { ...line, grid: { stroke: colour("hairline"), width: 1 }, size: AXIS_WIDTH, space: 34, values: (_, splits) => splits.map(axis) },
    ],
    cursor: {
      sync: { key: SYNC, setSeries: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      y: false,
      bind: { dblclick: () => null },
    },
    series: [{}, ...series(colour)],
    hooks: { setSelect: [(drawn) => zoom(drawn, latest)] },
    plugins: [tip(latest), press(latest)],
  };
}

/** As large as the page has it. */
function sizeOf(box) {
  return { width: box.clientWidth || 600, height: box.clientHeight || 200 };
}

/** The axis' words: days where midnight is passed, hours and minutes else. */
function timesOf(splits) {
  const isLong = splits.length > 1 && splits[1] - splits[0] >= 86_400;
  return splits.map((at, index) => {
    const isNewDay = minute(at * 1000) === "00:00" || (index > 0 && day(at * 1000) !== day(splits[index - 1] * 1000));
    return isLong || isNewDay ? day(at * 1000) : minute(at * 1000);
  });
}

function zoom(drawn, latest) {
  const { left, width } = drawn.select;
  if (width > 0) {
    const { columns, onZoom } = latest.current;
    drawn.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    onZoom(...wholeSteps(drawn.posToVal(left, "x"), drawn.posToVal(left + width, "x"), columns.step));
  }
}

/** A click, which is no drag, goes into the step that was clicked. */
function press(latest) {
  return {
    hooks: {
      ready: [
        (drawn) => {
          let downAt = 0;
          drawn.over.addEventListener("mousedown", (event) => (downAt = event.clientX));
          drawn.over.addEventListener("click", (event) => {
            const index = drawn.cursor.idx;
            if (Math.abs(event.clientX - downAt) < 4 && index !== null && index !== undefined) {
              latest.current.onZoom(...stepAt(latest.current.columns, index));
            }
          });
        },
      ],
    },
  };
}

/** What a step says, beside the cursor. */
function tip(latest) {
  const node = document.createElement("div");
  node.className = "tip";
  const hide = () => (node.hidden = true);
  return {
    hooks: {
      ready: [
        (drawn) => {
          hide();
          drawn.over.append(node);
          drawn.over.addEventListener("mouseleave", hide);
        },
      ],
      setCursor: [
        (drawn) => {
          const { idx, left } = drawn.cursor;
          const { columns, entries, dataTo } = latest.current;
          if (idx === null || idx === undefined || left < 0 || idx >= columns.middles.length) {
            hide();
            return;
          }
          const [from, to] = stepAt(columns, idx);
          render(html`<${Tip} from=${from} to=${to} isSoFar=${dataTo && to > dataTo} entries=${entries(idx)} />`, node);
          node.hidden = false;
          const room = drawn.over.clientWidth;
          const isRight = left > room / 2;
          node.style.left = isRight ? "" : `${left + 14}px`;
          node.style.right = isRight ? `${room - left + 14}px` : "";
        },
      ],
    },
  };
}

function Tip({ from, to, isSoFar, entries }) {
  return html`<p class="tip-time">${span(from, to)}${isSoFar ? ", so far" : ""}<br />${utcSpan(from, to)}</p>
    <ul>
      ${entries.map(
        (one) => html`<li><span class="mark-of ${one.mark}" /><span>${one.name}</span><strong>${one.value}</strong></li>`,
      )}
    </ul>`;
}

function stepAt({ middles, step }, index) {
  const from = (middles[index] - step / 2) * 1000;
  return [from, from + step * 1000];
}

function sentence(columns, index, entries) {
  const said = entries(index).map((one) => `${one.name} ${one.value}`);
  return `${span(...stepAt(columns, index))}: ${said.join(", ")}`;
}
