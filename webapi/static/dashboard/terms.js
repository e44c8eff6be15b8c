/**
 * Filters, as the search language of `/logs` writes them: `status:5xx -route:/health path:/api latency:>500`. Pure.
 *
 * A term is {field, negated, values}. All terms must hold; of a term's values one must (or none, where it is negated).
 * What a value may be is the server's to say: here it is only told where a term begins and ends.
 */

export const FIELDS = ["status", "method", "route", "ip", "path", "latency"];

/** A path that is longer is looked for by its beginning: a search has 2,000 characters at most. */
const LONGEST_PATH = 1000;

const LISTS = { status: /,/, method: /,/, ip: /,/, route: /,(?=\/|other(?:,|$))/ };
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"/;
const WORD = /^[^\s"]+/;
const BOUND = /^(>=|<=|>|<)([0-9]+)(?:ms)?$/;
const BETWEEN = /^([0-9]+)(?:ms)?(?:\.\.([0-9]+)(?:ms)?)?$/;
const OPPOSITE = { ">": "<=", ">=": "<", "<": ">=", "<=": ">" };

/** The terms of a text: {terms, problem}, where a problem is {character, detail} as the server's are, or null. */
export function parse(text) {
  const terms = [];
  let at = skip(text, 0);
  while (at < text.length) {
    const read = next(text, at);
    if (read.problem) {
      return { terms, problem: read.problem };
    }
    terms.push(read.term);
    at = skip(text, read.end);
  }
  return { terms, problem: null };
}

/** The text of terms; `parse` has them back from it. */
export function write(terms) {
  return terms.map(written).join(" ");
}

/** A term of one value, as clicks make them. */
export function term(field, value, negated = false) {
  const text = field === "path" ? [...String(value)].slice(0, LONGEST_PATH).join("") : String(value);
  return { field, negated, values: [text] };
}

/**
 * The terms and one more, as clicks add it: values of the same field are alternatives, and of latency only a bound at
 * the other end stays.
 */
export function added(terms, more) {
  if (more.field === "latency") {
    return [...terms.filter((one) => one.field !== "latency" || mayStand(bounds(one), bounds(more))), more];
  }
  const kept = terms.map((one) => (one.field === more.field ? without(one, more.values) : one)).filter(hasValues);
  const same = (one) => one.field === more.field && one.negated === more.negated;
  if (more.field === "path" || !kept.some(same)) {
    return [...kept, more];
  }
  // Of several that must hold each lets it through; to exclude it takes one.
  const first = kept.find(same);
  const takes = (one) => (more.negated ? one === first : same(one));
  return kept.map((one) => (takes(one) ? { ...one, values: [...one.values, ...more.values] } : one));
}

/** The terms and one more that must hold as well; those that it implies go. */
export function narrowed(terms, more) {
  const implied = (one) => written(one) === written(more) || (one.field === "latency" && isWithin(bounds(more), bounds(one)));
  return [...terms.filter((one) => !implied(one)), more];
}

/** The terms without the one at `index`. */
export function removed(terms, index) {
  return terms.filter((_, other) => other !== index);
}

/** The terms with the one at `index` turned around. */
export function negated(terms, index) {
  const one = terms[index];
  const turned = one.field === "latency" ? opposite(one) : { ...one, negated: !one.negated };
  const others = added(removed(terms, index), turned);
  // Where it was, unless another took it up, or went.
  return others.length === terms.length ? [...others.slice(0, index), turned, ...others.slice(index, -1)] : others;
}

/** Whether a value is filtered to already. */
export function has(terms, field, value) {
  return terms.some((one) => one.field === field && !one.negated && one.values.includes(String(value)));
}

/** A click on a value: filters to it, or takes that back. */
export function toggled(terms, field, value) {
  if (!has(terms, field, value)) {
    return added(terms, term(field, value));
  }
  return terms.map((one) => (one.field === field ? without(one, [String(value)]) : one)).filter(hasValues);
}

/** What a term says, for people: {field, verb, values}. */
export function said(one) {
  const names = { ip: "address" };
  const field = names[one.field] || one.field;
  if (one.field === "path") {
    return { field, verb: one.negated ? "does not contain" : "contains", values: one.values };
  }
  const verb = one.negated ? "is not" : "is";
  return { field, verb: one.field === "latency" ? "" : verb, values: one.values };
}

function next(text, begin) {
  const isNegated = text[begin] === "-";
  let at = begin + (isNegated ? 1 : 0);
  let field = "path";
  const named = /^([A-Za-z_]+):/.exec(text.slice(at));
  if (named) {
    field = named[1].toLowerCase();
    if (!FIELDS.includes(field)) {
      return wrong(at, `no such field '${named[1].slice(0, 50)}'; there are ${FIELDS.join(", ")}`);
    }
    at += named[0].length;
  }
  const rest = text.slice(at);
  const quoted = QUOTED.exec(rest);
  if (rest[0] === '"' && !quoted) {
    return wrong(at, "this quotation mark is not closed");
  }
  const found = quoted || WORD.exec(rest);
  const value = quoted ? quoted[1].replace(/\\(.)/g, "$1") : found && found[0];
  if (!value) {
    return wrong(at, "a value is missing");
  }
  const end = at + found[0].length;
  if (end < text.length && !/\s/.test(text[end])) {
    return wrong(end, "expected a space");
  }
  return { term: understood(field, value, isNegated), end };
}

function understood(field, value, isNegated) {
  const parting = LISTS[field];
  if (!parting) {
    return { field, negated: isNegated, values: [value] };
  }
  const turned = value.startsWith("!");
  return { field, negated: isNegated !== turned, values: value.slice(turned ? 1 : 0).split(parting) };
}

function written({ field, negated: isNegated, values }) {
  const value = values.join(",");
  const plain = value && !/[\s"]/.test(value);
  return `${isNegated ? "-" : ""}${field}:${plain ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
}

function opposite(one) {
  const bound = BOUND.exec(one.values[0]);
  return bound ? { ...one, values: [OPPOSITE[bound[1]] + bound[2]] } : { ...one, negated: !one.negated };
}

/** The least and the greatest latency that a term leaves, both included; null where that is no stretch. */
function bounds(one) {
  const [value] = (one.negated ? opposite(one) : one).values;
  const [, sign, digits] = BOUND.exec(value) || [];
  const number = Number(digits);
  if (sign) {
    return { ">": [number + 1, Infinity], ">=": [number, Infinity], "<": [0, number - 1], "<=": [0, number] }[sign];
  }
  const [whole, first, last = first] = BETWEEN.exec(value) || [];
  return whole && !one.negated ? [Number(first), Number(last)] : null;
}

/** Whether a stretch may stand beside another: of two bounds at the same side the new one takes the other's place. */
function mayStand(one, other) {
  if (!one || !other) {
    return false;
  }
  const isSameSide = (one[0] === 0) === (other[0] === 0) && (one[1] === Infinity) === (other[1] === Infinity);
  return !isSameSide && Math.max(one[0], other[0]) <= Math.min(one[1], other[1]);
}

function isWithin(inner, outer) {
  return Boolean(inner && outer) && outer[0] <= inner[0] && inner[1] <= outer[1];
}

function without(one, values) {
  return { ...one, values: one.values.filter((value) => !values.includes(value)) };
}

function hasValues(one) {
  return one.values.length > 0;
}

function skip(text, at) {
  return at + /^\s*/.exec(text.slice(at))[0].length;
}

function wrong(at, detail) {
  return { problem: { character: at + 1, detail } };
}
