// A code card: its language, a copy button, and colours that arrive from the worker a moment later.
import type { HighlightJob, HighlightResult } from "./highlight_worker";
import { copyText } from "./clipboard";
import { t } from "./i18n";

declare const HIGHLIGHT_WORKER: string;

// Marks by which code can read otherwise than it runs ("Trojan Source", CVE-2021-42574).
const kTurning = /[\u202A-\u202E\u2066-\u2069]/;
const kHighlightMax = 200_000;
const kNames: Record<string, string> = { js: "JavaScript", javascript: "JavaScript", ts: "TypeScript", typescript: "TypeScript", py: "Python",
  python: "Python", cpp: "C++", "c++": "C++", c: "C", cs: "C#", csharp: "C#", sh: "Shell", bash: "Bash", html: "HTML", css: "CSS", json: "JSON",
  sql: "SQL", go: "Go", rust: "Rust", rs: "Rust", java: "Java", kotlin: "Kotlin", php: "PHP", ruby: "Ruby", yaml: "YAML", xml: "XML", md: "Markdown",
  markdown: "Markdown", swift: "Swift", r: "R", perl: "Perl", lua: "Lua", diff: "Diff", ini: "INI", makefile: "Makefile" };

let worker: Worker | null = null;
let lastJob = 0;
const waiting = new Map<number, (result: HighlightResult) => void>();

function highlight(code: string, language: string, done: (result: HighlightResult) => void): void {
  if (!worker) {
    worker = new Worker(HIGHLIGHT_WORKER);
    worker.onmessage = (event: MessageEvent<HighlightResult>) => {
      waiting.get(event.data.id)?.(event.data);
      waiting.delete(event.data.id);
    };
  }
  const job: HighlightJob = { id: ++lastJob, code, language };
  waiting.set(job.id, done);
  worker.postMessage(job);
}

/** Replaces the text of `code` by coloured runs, unless it has changed meanwhile. */
export function colour(code: HTMLElement, language: string): void {
  const text = code.textContent ?? "";
  if (!language || text.length > kHighlightMax) return;
  highlight(text, language.toLowerCase(), ({ runs }) => {
    if (runs.length === 0 || code.textContent !== text) return;
    code.replaceChildren(...runs.map(([kind, piece]) => {
      if (kind === "") return document.createTextNode(piece);
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = piece;
      return span;
    }));
  });
}

export function codeCard(text: string, language: string): { card: HTMLElement; code: HTMLElement } {
  const card = document.createElement("div");
  card.className = "code-card";
  const head = document.createElement("div");
  head.className = "code-head";
  const name = document.createElement("span");
  name.textContent = kNames[language.toLowerCase()] ?? language;
  if (kTurning.test(text)) name.append(" \u00B7 ", t("code_turns"));
  const copy = document.createElement("button");
  copy.type = "button";
  copy.className = "quiet small";
  copy.textContent = t("copy");
  copy.addEventListener("click", () => void copyText(code.textContent ?? "", copy));
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  const code = document.createElement("code");
  code.textContent = text;
  pre.append(code);
  head.append(name, copy);
  card.append(head, pre);
  return { card, code };
}
