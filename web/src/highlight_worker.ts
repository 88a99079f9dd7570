// Finds the tokens of code on a thread of its own, so that long code never holds up the page. Answers are runs of
// [classes, text]: the page builds its nodes from them and never parses HTML of ours.
import hljs from "highlight.js/lib/common";

export interface HighlightJob {
  id: number;
  code: string;
  language: string;
}

export interface HighlightResult {
  id: number;
  language: string;
  runs: [string, string][];
}

const kEntities: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

function runsOf(html: string): [string, string][] {
  const runs: [string, string][] = [];
  const classes: string[] = [];
  for (const [, open, close, text] of html.matchAll(/<span class="([^"]*)">|(<\/span>)|([^<]+)/g)) {
    if (open !== undefined) classes.push(open);
    else if (close !== undefined) classes.pop();
    else runs.push([classes.at(-1) ?? "", text.replace(/&(amp|lt|gt|quot|#x27);/g, (entity) => kEntities[entity])]);
  }
  return runs;
}

self.onmessage = (event: MessageEvent<HighlightJob>) => {
  const { id, code, language } = event.data;
  const known = hljs.getLanguage(language) ? language : "";
  const html = known ? hljs.highlight(code, { language: known, ignoreIllegals: true }).value : "";
  const result: HighlightResult = { id, language: known, runs: known ? runsOf(html) : [] };
  self.postMessage(result);
};
