// Formulas by KaTeX, fetched when the first one appears. KaTeX builds nodes (no HTML is parsed) and trusts nothing:
// no links, no HTML commands, bounded macros and sizes. What it cannot read stays as it was written.
declare const KATEX_CSS: string;

const kTexMax = 4_000;
const kDepthMax = 32;  // the time that nested fractions take grows with a power of their depth
const kCached = 500;
const drawn = new Map<string, HTMLElement>();
let katex: typeof import("katex").default | null = null;
let loading: Promise<void> | null = null;

/** How deep the braces of a formula stand in each other. */
export function braceDepth(tex: string): number {
  let depth = 0;
  let most = 0;
  for (let i = 0; i < tex.length; ++i) {
    if (tex[i] === "\\") ++i;
    else if (tex[i] === "{") most = Math.max(most, ++depth);
    else if (tex[i] === "}") --depth;
  }
  return most;
}

const drawable = (tex: string): boolean => tex.length <= kTexMax && braceDepth(tex) <= kDepthMax;

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
    for (const span of spans) if (drawable(span.dataset.tex ?? "")) draw(span);
    return;
  }
  loading ??= load();
  void loading.then(later, () => { loading = null; });
}
