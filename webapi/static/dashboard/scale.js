/** Where things stand on an axis. Pure. */

/** The values of `rows` (lists of equal length, the lowest first) stacked: each with those below it added. */
export function stacked(rows) {
  const sums = [];
  for (const row of rows) {
    const below = sums.at(-1);
    sums.push(row.map((value, index) => (value || 0) + (below ? below[index] : 0)));
  }
  return sums;
}

/** The least of some round numbers times a power of ten that is not less than `most`; 1 for nothing. */
export function roundTop(most) {
  if (!(most > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((top) => top >= most * 0.9999999);
}

/** At most `most` numbers that stand for `values`: the mean of so many neighbours each, null for none. */
export function thinned(values, most) {
  const each = Math.ceil(values.length / most);
  if (each <= 1) {
    return values;
  }
  return Array.from({ length: Math.ceil(values.length / each) }, (_, index) => {
    const known = values.slice(index * each, (index + 1) * each).filter((value) => value !== null);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  });
}

/** The points of a line through `values` in a box, as SVG's `points`: of one that is alone a dash, of none nothing. */
export function polyline(values, width, height, least = 0) {
  const known = values.flatMap((value, index) => (value === null ? [] : [[index, value]]));
  if (values.length < 2 || !known.length) {
    return "";
  }
  const top = Math.max(...known.map(([, value]) => value), least + Number.EPSILON);
  const x = (index) => ((index * width) / (values.length - 1)).toFixed(1);
  const y = (value) => (height - ((value - least) / (top - least)) * height).toFixed(1);
  const [[index, value]] = known;
  const drawn = known.length > 1 ? known : [[Math.max(index - 0.5, 0), value], [Math.min(index + 0.5, values.length - 1), value]];
  return drawn.map(([at, of]) => `${x(at)},${y(of)}`).join(" ");
}

/** Where in `values` one has no other beside it, and so no line; null for nowhere. */
export function lone(values) {
  const isKnown = (index) => (values[index] ?? null) !== null;
  const found = values.flatMap((_, index) => (isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1) ? [index] : []));
  return found.length ? found : null;
}

/** The area between a `polyline` and the foot of its box, as SVG's `points`: under the line alone, where it has any. */
export function areaUnder(points, foot) {
  const x = (point) => point.split(",")[0];
  const each = points.split(" ");
  return points && `${x(each[0])},${foot} ${points} ${x(each.at(-1))},${foot}`;
}

/** A dragged stretch, in seconds, widened to whole steps and at least one of them: [from, to] in milliseconds. */
export function wholeSteps(first, last, step) {
  const from = Math.floor(Math.min(first, last) / step) * step;
  const to = Math.max(Math.ceil(Math.max(first, last) / step) * step, from + step);
  return [from * 1000, to * 1000];
}

/** How wide a bar of a row is beside the greatest, in per cent; what is not nothing is seen. */
export function barWidth(value, most) {
  return value > 0 && most > 0 ? Math.max((value / most) * 100, 0.5) : 0;
}
