/** Questions to the web API, and what it says where it cannot answer. */

const PATIENCE_MS = 20_000;
/** For so long an answer that nobody asked for yet is one of now. */
const FRESH_MS = 5_000;

const foreseen = new Map();

/** Why there is no answer: `status` is 0 where the server did not answer at all. */
export class Problem extends Error {
  constructor(status, detail, retryAfter = null) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /** Whether asking the same again is of use. */
  get isPassing() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }
}

/** The JSON at `url`. Throws Problem, and what `signal` was aborted with. */
export async function ask(url, signal) {
  const early = foreseen.get(url);
  foreseen.delete(url);
  return said(await (early || sent(url, { signal })));
}

/** Asks for `url` now, for whoever asks for it next. */
export function foresee(url) {
  const early = sent(url, {});
  early.catch(() => null); // for whom it is told, if anybody asks
  foreseen.set(url, early);
  setTimeout(() => foreseen.delete(url), FRESH_MS);
}

/** Sends `content` as JSON, and gives the JSON that comes back, null for none. Throws Problem. */
export async function post(url, content = {}) {
  const body = JSON.stringify(content);
  return said(await sent(url, { method: "POST", body, headers: { "Content-Type": "application/json" } }));
}

async function sent(url, { signal, ...asked }) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const both = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const headers = { Accept: "application/json", ...asked.headers };
    return await fetch(url, { ...asked, headers, signal: both, credentials: "same-origin" });
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    const late = error.name === "TimeoutError";
    throw new Problem(0, late ? `no answer within ${PATIENCE_MS / 1000} s` : "the server cannot be reached");
  }
}

async function said(response) {
  const isJson = /json/.test(response.headers.get("Content-Type") || "");
  const content = isJson ? await response.json().catch(() => undefined) : null;
  if (content === undefined) {
    throw new Problem(0, "the answer broke off");
  }
  if (response.ok) {
    return content;
  }
  const detail = content?.errors?.[0]?.detail || content?.detail || `the server answered ${response.status}`;
  throw new Problem(response.status, detail, Number(response.headers.get("Retry-After")) || null);
}
