// Cuts Markdown into its top-level blocks as it arrives, so that only the last block of a growing answer is parsed again.
//
// A block is cut off only where no later text can change how it reads: after a closed fence, a heading, a blank line
// that a list does not continue after. Blocks that grow past a bound are cut at a line or an item: a little space
// appears there, and drawing stays quick however long the answer.

const kParagraphMax = 8_000;
const kListMax = 4_000;

const kFence = /^( {0,3}|[\t ]+)(`{3,}|~{3,})(.*)$/;
const kHeading = /^ {0,3}#{1,6}(\s|$)/;
const kRule = /^ {0,3}((\*\s*){3,}|(_\s*){3,}|(-\s*){3,})$/;
const kSetext = /^ {0,3}(=+|-+)\s*$/;
const kItem = /^( {0,3})([-*+]|\d{1,9}[.)])(\s|$)/;
const kMathOpen = /^\s*(\$\$|\\\[)/;

type Kind = "" | "paragraph" | "list" | "indented";

export class BlockSplitter {
  /** Blocks that no later text can change. */
  readonly closed: string[] = [];
  private block = "";
  private partial = "";
  private kind: Kind = "";
  private blank = false;
  private fence: { mark: string; nested: boolean } | null = null;
  private math: string | null = null;

  /** The block that is still being written. */
  get open(): string {
    return this.block + this.partial;
  }

  /** What stands open at the end: an unclosed fence or formula changes how the open block is drawn. */
  get inside(): "fence" | "math" | null {
    return this.fence ? "fence" : this.math ? "math" : null;
  }

  push(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.line(this.partial + text.slice(start, end));
      this.partial = "";
      start = end + 1;
    }
    this.partial += text.slice(start);
  }

  private line(line: string): void {
    if (this.fence) return this.fenceLine(line);
    if (this.math) return this.mathLine(line);
    if (line.trim() === "") return this.blankLine(line);
    if (this.blank && !this.continues(line)) this.cut();
    this.blank = false;
    if (this.kind === "" && /^( {4}|\t)/.test(line)) this.kind = "indented";
    if (this.openFence(line) || this.openMath(line)) return;
    const top = this.kind !== "list" || !/^[\t ]{2,}/.test(line);
    if (top && (kHeading.test(line) || (kRule.test(line) && this.kind !== "paragraph"))) {
      this.cut();
      this.append(line);
      return this.cut();
    }
    if (this.kind === "paragraph" && kSetext.test(line)) {
      this.append(line);
      return this.cut();
    }
    this.textLine(line);
  }

  private textLine(line: string): void {
    const item = kItem.test(line);
    if (this.kind === "paragraph" && item && !/^ {0,3}\d/.test(line)) this.cut();
    if (this.kind === "list" && item && this.block.length > kListMax && !/^\s/.test(line)) this.cut();
    if (this.kind === "") this.kind = item ? "list" : "paragraph";
    this.append(line);
    if (this.kind === "paragraph" && this.block.length > kParagraphMax && !/^\s*\|/.test(line)) this.cut();
  }

  private blankLine(line: string): void {
    if (this.block === "") return;
    this.append(line);
    if (this.kind === "list" || this.kind === "indented") this.blank = true;
    else this.cut();
  }

  private continues(line: string): boolean {
    return /^[\t ]{2,}/.test(line) || (this.kind === "list" && kItem.test(line) && !kRule.test(line));
  }

  private openFence(line: string): boolean {
    const found = kFence.exec(line);
    if (!found || (found[2][0] === "`" && found[3].includes("`"))) return false;
    const nested = this.kind === "list" && /^[\t ]{2,}/.test(line);
    if (!nested && found[1].length > 3) return false;
    if (!nested) this.cut();
    this.fence = { mark: found[2], nested };
    this.append(line);
    return true;
  }

  private fenceLine(line: string): void {
    this.append(line);
    const { mark, nested } = this.fence!;
    const close = line.trim();
    if (close.length < mark.length || close !== mark[0].repeat(close.length)) return;
    this.fence = null;
    if (!nested) this.cut();
  }

  private openMath(line: string): boolean {
    const found = kMathOpen.exec(line);
    if (!found || this.kind === "list") return false;
    const close = found[1] === "$$" ? "$$" : "\\]";
    const rest = line.slice(found[0].length);
    if (rest.includes(close)) return false;
    if (this.kind !== "") this.cut();
    this.math = close;
    this.append(line);
    return true;
  }

  private mathLine(line: string): void {
    this.append(line);
    if (!line.includes(this.math!)) return;
    this.math = null;
    this.cut();
  }

  private append(line: string): void {
    this.block += line + "\n";
  }

  private cut(): void {
    if (this.block.trim() !== "") this.closed.push(this.block);
    this.block = "";
    this.kind = "";
    this.blank = false;
  }
}

/** All blocks of a finished text. */
export function splitBlocks(text: string): string[] {
  const splitter = new BlockSplitter();
  splitter.push(text);
  return splitter.open.trim() === "" ? splitter.closed : [...splitter.closed, splitter.open];
}
