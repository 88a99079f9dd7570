// Makes a half-written block read as it will when it is finished: what is open is closed, and a mark whose meaning the
// next letters decide is held back.

const kOpenLink = /!?\[([^\]\n]*)(\]\([^)\n]*)?$/;
const kUndecidedLine = /(^|\n)[ \t]*(#{1,6}|[-*+]|\d{1,9}[.)]?|[-=]{1,}|>|`{1,2}|~{1,2}|\|[-: |]*)[ \t]*$/;

export function heal(block: string): string {
  let text = block.replace(kUndecidedLine, "$1");
  text = withTableRule(text);
  const { closers, code } = openMarks(text);
  if (code) return text + closers;
  text = text.replace(kOpenLink, (whole, label: string) => (whole.startsWith("!") ? "" : label));
  text = text.replace(/(?<![*_~\\])[*_~]{1,3}$/, (marks, at: number) => (/\S$/.test(text.slice(0, at)) && !closers.startsWith(marks) ? marks : ""));
  return trimmedEnd(text) + openMarks(text).closers;
}

// A closer counts only directly after a letter, so spaces at the end stand in its way.
function trimmedEnd(text: string): string {
  return openMarks(text).closers === "" ? text : text.replace(/[ \t\n]+$/, "");
}

// A table is a table from its second line on: its head alone gets that line.
function withTableRule(text: string): string {
  const lines = text.split("\n");
  const head = lines[0].trim();
  if (!head.startsWith("|") || head.length < 3 || (lines[1] ?? "").trim() !== "") return text;
  const cells = head.replace(/\|?$/, "|").split("|").length - 2;
  return cells < 1 ? text : `${head.replace(/\|?$/, "|")}\n|${" --- |".repeat(cells)}`;
}

interface OpenMarks {
  closers: string;
  code: boolean;
}

// Walks over the last paragraph, where alone emphasis can stand open.
function openMarks(text: string): OpenMarks {
  const start = text.lastIndexOf("\n\n") + 1;
  const open: string[] = [];
  for (let i = start; i < text.length; ) {
    const c = text[i];
    if (c === "\\") i += 2;
    else if (c === "`") {
      const ticks = run(text, i);
      const end = closingTicks(text, i + ticks, ticks);
      if (end < 0) return { closers: "`".repeat(ticks), code: i + ticks < text.length };
      i = end;
    } else if (c === "*" || c === "~" || c === "_") i = takeMark(text, i, open);
    else i += 1;
  }
  return { closers: open.reverse().join(""), code: false };
}

function takeMark(text: string, at: number, open: string[]): number {
  const length = run(text, at);
  const mark = text.slice(at, at + length);
  const after = text[at + length] ?? " ";
  const before = text[at - 1] ?? " ";
  if (mark[0] === "~" && length !== 2) return at + length;
  if (mark[0] === "_" && /\w/.test(before) && /\w/.test(after)) return at + length;
  if (length > 3) return at + length;
  const opened = open.lastIndexOf(mark);
  if (opened >= 0 && /\S/.test(before)) open.splice(opened);
  else if (/\S/.test(after)) open.push(mark);
  return at + length;
}

function run(text: string, at: number): number {
  let end = at;
  while (text[end] === text[at]) ++end;
  return end - at;
}

function closingTicks(text: string, from: number, ticks: number): number {
  for (let i = text.indexOf("`", from); i >= 0; i = text.indexOf("`", i)) {
    const length = run(text, i);
    if (length === ticks) return i + length;
    i += length;
  }
  return -1;
}
