// What a screen reader hears. Two regions take turns, so that the same words twice are said twice.

let turn = 0;

export function announce(text: string): void {
  const regions = document.querySelectorAll<HTMLElement>("#announcements > div");
  if (regions.length < 2) return;
  turn = 1 - turn;
  regions[turn].textContent = text;
  regions[1 - turn].textContent = "";
}

const kPauseMs = 5_000;
let lastProgress = 0;

/** The same, but at most once in five seconds. */
export function announceProgress(text: () => string): void {
  const now = performance.now();
  if (now - lastProgress < kPauseMs) return;
  lastProgress = now;
  announce(text());
}
