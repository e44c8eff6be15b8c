/** Brings a part of the page into sight, and the focus with it. */
export function show(id) {
  requestAnimationFrame(() => {
    const part = document.getElementById(id);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    part?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    part?.focus({ preventScroll: true });
  });
}
