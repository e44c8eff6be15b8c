/** Numbers and times as people read them. Pure: nothing here asks the clock. */

// By hand, and not by Intl: to build its formats took a fifth of the scripts' time until the first numbers.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/** Every digit: 1,234,567. */
export function whole(number) {
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Three digits where there are too many: 98,304, 1.23 M, 45.6 M. */
export function count(number) {
  for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]]) {
    if (number >= size) {
      return `${digits(number / size)} ${unit}`;
    }
  }
  return whole(Math.round(number));
}

/** The same in as little room as an axis or a row has: 950, 12.3 k, 1.23 M. */
export function short(number) {
  return number >= 1e4 && number < 1e6 ? `${digits(number / 1e3)} k` : count(number);
}

/** So many a second: < 0.01, 5.66, 118, 1,204; what is not nothing never reads as nothing. */
export function rate(number) {
  if (number > 0 && number < 0.01) {
    return "< 0.01";
  }
  return number >= 1000 ? count(number) : number === 0 ? "0" : digits(number);
}

/** A share of one as per cent: 0 %, 0.02 %, 3.4 %, 40 %; what is not nothing never reads as nothing. */
export function percent(share) {
  const hundred = share * 100;
  if (hundred === 0 || hundred >= 99.95) {
    return `${Math.round(hundred)} %`;
  }
  return hundred < 0.01 ? "< 0.01 %" : `${fixed(hundred, hundred < 1 ? 2 : 1)} %`;
}

/** Milliseconds: 12 ms, 971 ms, 1.27 s, 2 min 5 s; a dash where there is none. */
export function latency(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) {
    return "–";
  }
  if (milliseconds < 1000) {
    return `${milliseconds < 10 && milliseconds % 1 ? fixed(milliseconds, 1) : Math.round(milliseconds)} ms`;
  }
  return milliseconds < 60_000 ? `${digits(milliseconds / 1000)} s` : duration(milliseconds / 1000);
}

/** The same on an axis, where numbers are round, in three digits: 0, 250 ms, 5 s, 2.5 s, 13.3 min, 400 h. */
export function axisLatency(milliseconds) {
  const [size, unit] = [[3_600_000, "h"], [60_000, "min"], [1000, "s"], [1, "ms"]].find(([size]) => milliseconds >= size) || [1, "ms"];
  return milliseconds === 0 ? "0" : `${Number((milliseconds / size).toPrecision(3))} ${unit}`;
}

/** The same of counts: 0, 250, 2.5 k, 10 k, 1 M. */
export function axisCount(number) {
  const [size, unit] = [[1e9, " G"], [1e6, " M"], [1e4, " k"], [1, ""]].find(([size]) => number >= size) || [1, ""];
  return unit === " k" ? `${Math.round(number / 10) / 100} k` : `${whole(Math.round((number / size) * 100) / 100)}${unit}`;
}

/** Seconds in their two greatest units: 2 s, 4 min 10 s, 3 h 20 min, 2 d 4 h. */
export function duration(seconds) {
  const rounded = Math.max(0, Math.round(seconds));
  for (const [size, unit, lesser, name] of [[DAY, "d", HOUR, "h"], [HOUR, "h", MINUTE, "min"], [MINUTE, "min", 1, "s"]]) {
    if (rounded >= size) {
      const rest = Math.floor((rounded % size) / lesser);
      return `${Math.floor(rounded / size)} ${unit}${rest ? ` ${rest} ${name}` : ""}`;
    }
  }
  return `${rounded} s`;
}

/** Bytes, by powers of a thousand. */
export function bytes(number) {
  return number < 1000 ? `${whole(number)} B` : number < 1e6 ? `${digits(number / 1e3)} kB` : `${digits(number / 1e6)} MB`;
}

/** The time of day in the viewer's zone: 14:03:07. */
export function clock(moment) {
  return `${minute(moment)}:${twoDigits(new Date(moment).getSeconds())}`;
}

/** The day and the time in the viewer's zone: 25 Nov 14:03:07. */
export function dayAndClock(moment) {
  return `${day(moment)} ${clock(moment)}`;
}

/** The day in the viewer's zone: 25 Nov. */
export function day(moment) {
  const date = new Date(moment);
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

/** Hours and minutes in the viewer's zone: 14:03. */
export function minute(moment) {
  const date = new Date(moment);
  return `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
}

/** The same moment in UTC, for who wants to be sure: 2025-11-25 13:03:07 UTC. */
export function utc(moment) {
  return `${new Date(moment).toISOString().replace("T", " ").replace(/\.\d+Z$|Z$/, "")} UTC`;
}

/** The same stretch of time in UTC: 2025-11-25 13:03:00 – 13:04:00 UTC. */
export function utcSpan(from, to) {
  const [begin, end] = [utc(from), utc(to)];
  const isOneDay = begin.slice(0, 10) === end.slice(0, 10);
  return `${begin.replace(" UTC", "")} – ${isOneDay ? end.slice(11) : end}`;
}

/** A stretch of time, with no more of the day than is needed: 14:03 – 14:04, 25 Nov 22:00 – 26 Nov 02:00. */
export function span(from, to) {
  const [begin, end] = [from, to].map((moment) => new Date(moment).getFullYear());
  const [first, last] = begin === end ? [day(from), day(to)] : [`${day(from)} ${begin}`, `${day(to)} ${end}`];
  const fine = (to - from) % 60_000 || from % 60_000 ? clock : minute;
  return `${first} ${fine(from)} – ${first === last ? "" : `${last} `}${fine(to)}`;
}

/**
 * How a figure stands to the one before, in words and direction: {direction, words}.
 *
 * `kind` says which words: "count" (more, fewer), "latency" (slower, faster) or "share" (points of per cent).
 */
export function change(now, before, kind = "count") {
  const [more, less] = { count: ["more", "fewer"], latency: ["slower", "faster"], share: ["more", "less"] }[kind];
  if (kind === "share") {
    const points = Math.abs(now - before) * 100;
    const size = points < 0.1 ? "" : `${points < 10 ? fixed(points, 1) : whole(Math.round(points))} points `;
    return size ? directed(now > before, `${size}${now > before ? more : less}`) : unchanged();
  }
  if (!before) {
    return now ? { direction: "up", words: "none before" } : unchanged();
  }
  const ratio = now / before;
  const hundredths = Math.round(Math.abs(ratio - 1) * 100);
  if (ratio >= 3) {
    return directed(true, `${ratio < 1000 ? digits(ratio) : count(ratio)} times as ${kind === "latency" ? "slow" : "many"}`);
  }
  return hundredths ? directed(ratio > 1, `${hundredths} % ${ratio > 1 ? more : less}`) : unchanged();
}

function directed(isUp, words) {
  return { direction: isUp ? "up" : "down", words };
}

function unchanged() {
  return { direction: "same", words: "as before" };
}

function digits(number) {
  return number >= 100 ? whole(Math.round(number)) : fixed(number, number >= 10 ? 1 : 2);
}

/** So many places after the point; a half, as it is written, goes up. */
function fixed(number, places) {
  return (Math.round(`${number}e${places}`) / 10 ** places).toFixed(places);
}

function twoDigits(number) {
  return String(number).padStart(2, "0");
}
