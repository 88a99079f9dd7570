// The nodes of one answer. A growing text costs, per frame, the parsing of its last block only.
import { BlockSplitter } from "./blocks";
import { codeCard, colour } from "./code";
import { heal } from "./heal";
import { renderBlock } from "./markdown";
import { drawMath } from "./math";
import { morphChildren } from "./morph";

// An open block longer than this is drawn as plain text until it is closed.
const kOpenMax = 16_000;
// What a frame may spend on blocks that came in at once.
const kBudgetMs = 10;
// Links by reference need the whole text; a long text does without.
const kDefinition = /^ {0,3}\[[^\]^\n]+\]:\s*\S/m;
const kWholeMax = 50_000;

export class MarkdownView {
  private splitter = new BlockSplitter();
  private seen = "";
  private drawn = 0;
  private finished = false;
  private openHost: HTMLElement | null = null;
  private openCode: { code: HTMLElement; text: Text; source: string; language: string } | null = null;

  constructor(private readonly host: HTMLElement) {}

  /** Draws `text`; while `growing`, its end is unfinished. False: the time was up first, and more is to be drawn. */
  update(text: string, growing: boolean, budgetMs = kBudgetMs): boolean {
    if ((this.finished && text !== this.seen) || !text.startsWith(this.seen)) this.reset();
    else if (this.finished && !growing) return true;
    else if (this.finished) this.reset();
    this.splitter.push(text.slice(this.seen.length));
    this.seen = text;
    if (!growing && text.length < kWholeMax && kDefinition.test(text)) this.drawWhole(text);
    else if (!this.drawClosed(budgetMs)) return false;
    else if (growing) this.drawOpen(this.splitter.open, this.splitter.inside);
    else if (this.splitter.open.trim() !== "") this.closeBlock(this.splitter.open);
    else this.dropOpen();
    this.finished = !growing;
    return true;
  }

  private drawClosed(budgetMs: number): boolean {
    const { closed } = this.splitter;
    for (const end = performance.now() + budgetMs; this.drawn < closed.length; ++this.drawn) {
      if (performance.now() > end) return false;
      this.closeBlock(closed[this.drawn]);
    }
    return true;
  }

  private reset(): void {
    this.host.replaceChildren();
    this.finished = false;
    this.splitter = new BlockSplitter();
    this.seen = "";
    this.drawn = 0;
    this.openHost = null;
    this.openCode = null;
  }

  private drawWhole(text: string): void {
    this.host.replaceChildren(this.block(text));
  }

  // The finished block takes the place of its unfinished drawing.
  private closeBlock(source: string): void {
    const block = this.block(source);
    if (this.openHost) this.openHost.replaceWith(block);
    else this.host.append(block);
    this.openHost = null;
    this.openCode = null;
  }

  private dropOpen(): void {
    this.openHost?.remove();
    this.openHost = null;
    this.openCode = null;
  }

  private block(source: string): HTMLElement {
    const block = document.createElement("div");
    block.className = "block";
    fill(block, source, true);
    return block;
  }

  private drawOpen(source: string, inside: "fence" | "math" | null): void {
    if (source.trim() === "") return this.dropOpen();
    if (!this.openHost) {
      this.openHost = document.createElement("div");
      this.openHost.className = "block open";
      this.host.append(this.openHost);
    }
    const head = /^ {0,3}(`{3,}|~{3,})([^\n]*)\n/.exec(source);
    if (inside === "fence" && head) return this.drawOpenCode(source.slice(head[0].length), head[2].trim().split(/\s/)[0]);
    this.openCode = null;
    if (inside === "math" || source.length > kOpenMax) return this.drawPlain(source);
    const next = document.createElement("div");
    fill(next, heal(source), false);
    morphChildren(this.openHost, next);
  }

  private drawPlain(source: string): void {
    const first = this.openHost!.firstChild;
    if (first instanceof HTMLElement && first.className === "plain" && this.openHost!.childNodes.length === 1) {
      const text = first.firstChild as Text;
      if (source.startsWith(text.data)) return text.appendData(source.slice(text.length));
    }
    const plain = document.createElement("p");
    plain.className = "plain";
    plain.append(document.createTextNode(source));
    this.openHost!.replaceChildren(plain);
  }

  // Code only grows: its letters are appended, its colours come when it is closed.
  private drawOpenCode(source: string, language: string): void {
    const shown = source.replace(/\n?[ \t]*(`{1,}|~{1,})?$/, "");
    if (!this.openCode || this.openCode.language !== language || !shown.startsWith(this.openCode.source)) {
      const { card, code } = codeCard("", language);
      const text = document.createTextNode("");
      code.append(text);
      this.openHost!.replaceChildren(card);
      this.openCode = { code, text, source: "", language };
    }
    this.openCode.text.appendData(shown.slice(this.openCode.source.length));
    this.openCode.source = shown;
  }
}

function fill(block: HTMLElement, source: string, finished: boolean): void {
  block.replaceChildren(renderBlock(source));
  for (const pre of block.querySelectorAll<HTMLElement>("pre[data-lang]")) {
    const language = pre.dataset.lang ?? "";
    const { card, code } = codeCard(pre.textContent ?? "", language);
    if (!finished) card.dataset.source = language + "\n" + pre.textContent;
    pre.replaceWith(card);
    if (finished) colour(code, language);
  }
  drawMath(block, () => {
    if (block.isConnected) drawMath(block, () => undefined);
  });
}
