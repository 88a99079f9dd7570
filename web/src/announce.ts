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

const kPieceMax = 2_000;

/** A text of any length, added piece by piece so that the page never waits for it. */
export function announceLong(text: string): void {
  announce("");
  const region = document.querySelectorAll<HTMLElement>("#announcements > div")[turn];
  const mine = turn;
  const pieces = text.match(new RegExp(`[^]{1,${kPieceMax}}(?=\\s|$)|[^]{1,${kPieceMax}}`, "g")) ?? [];
  const next = () => {
    const piece = pieces.shift();
    if (piece === undefined || turn !== mine) return;
    const p = document.createElement("p");
    p.textContent = piece;
    region?.append(p);
    setTimeout(next, 50);
  };
  next();
}
