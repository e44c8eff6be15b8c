/** Brings the list of lines into sight, and the focus with it. */
export function toLines() {
  requestAnimationFrame(() => {
    const list = document.getElementById("lines");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    list?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    list?.focus({ preventScroll: true });
  });
}
