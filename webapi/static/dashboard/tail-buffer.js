/** The newest lines of a stream, and what was left out. Pure. */

export const MOST = 1000;

export const EMPTY = { shown: [], waiting: [], dropped: 0, isExact: true, isPaused: false };

/** With `lines`, oldest first, that came: shown, or while it is paused waiting. Of each the newest 1,000 stay. */
export function arrived(buffer, lines) {
  const newest = lines.toReversed();
  if (!buffer.isPaused) {
    return { ...buffer, shown: [...newest, ...buffer.shown].slice(0, MOST) };
  }
  const waiting = [...newest, ...buffer.waiting];
  return { ...buffer, waiting: waiting.slice(0, MOST), dropped: buffer.dropped + Math.max(0, waiting.length - MOST) };
}

/** With what the server says that it left out. */
export function dropped(buffer, { dropped: number, dropped_is: isTold }) {
  return { ...buffer, dropped: buffer.dropped + number, isExact: buffer.isExact && isTold === "exact" };
}

export function paused(buffer) {
  return { ...buffer, isPaused: true };
}

/** Shows what waited. */
export function resumed(buffer) {
  const shown = [...buffer.waiting, ...buffer.shown].slice(0, MOST);
  return { ...buffer, shown, waiting: [], isPaused: false };
}
