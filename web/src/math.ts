// Formulas by KaTeX, fetched when the first one appears. KaTeX builds nodes (no HTML is parsed) and trusts nothing:
// no links, no HTML commands, bounded macros and sizes. What it cannot read stays as it was written.
declare const KATEX_CSS: string;

const kTexMax = 10_000;
const kCached = 500;
const drawn = new Map<string, HTMLElement>();
let katex: typeof import("katex").default | null = null;
let loading: Promise<void> | null = null;

async function load(): Promise<void> {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = KATEX_CSS;
  document.head.append(style);
  katex = (await import("katex")).default;
}

function draw(span: HTMLElement): void {
  const tex = span.dataset.tex ?? "";
  const display = span.dataset.display === "1";
  const key = (display ? "D" : "I") + tex;
  let formula = drawn.get(key);
  if (!formula) {
    formula = document.createElement("span");
    formula.className = display ? "math display" : "math";
    if (display) formula.tabIndex = 0;
    try {
      katex!.render(tex, formula, { displayMode: display, throwOnError: true, trust: false, strict: "ignore", maxSize: 50, maxExpand: 500 });
    } catch {
      formula.classList.add("raw");
      formula.textContent = tex;
    }
    formula.dataset.source = key;
    if (drawn.size >= kCached) drawn.clear();
    drawn.set(key, formula);
  }
  span.replaceWith(formula.cloneNode(true));
}

/** Draws the formulas under `root` now, or as soon as KaTeX is here. `later` is called after a late drawing. */
export function drawMath(root: ParentNode, later: () => void): void {
  const spans = root.querySelectorAll<HTMLElement>("span[data-tex]");
  if (spans.length === 0) return;
  if (katex) {
    for (const span of spans) if ((span.dataset.tex ?? "").length <= kTexMax) draw(span);
    return;
  }
  loading ??= load();
  void loading.then(later, () => { loading = null; });
}
