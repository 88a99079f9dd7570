// One block of Markdown to safe nodes. Raw HTML of an answer is shown as text, never built; what marked makes is still
// passed through DOMPurify with a short list of tags; formulas and code become nodes only after that.
import DOMPurify from "dompurify";
import { Marked, type TokenizerAndRendererExtension, type Tokens } from "marked";

const kTags = ["p", "br", "hr", "em", "strong", "del", "code", "pre", "a", "img", "ul", "ol", "li", "input", "blockquote",
  "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "span"];
const kAttributes = ["href", "title", "src", "alt", "start", "align", "type", "checked", "disabled", "data-tex", "data-display", "data-lang"];
const kImage = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/;
const kLink = /^(https?:|mailto:)/i;

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const mathSpan = (tex: string, display: boolean) =>
  `<span data-tex="${escapeHtml(tex)}"${display ? ' data-display="1"' : ""}>${escapeHtml(tex)}</span>`;

const kMathForms: { pattern: RegExp; display: boolean }[] = [
  { pattern: /^\$\$([^]+?)\$\$/, display: true },
  { pattern: /^\\\[([^]+?)\\\]/, display: true },
  { pattern: /^\\\(([^]+?)\\\)/, display: false },
  // A dollar sign is money unless it hugs its formula and no digit follows.
  { pattern: /^\$(?!\s)((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)/, display: false },
];

const math: TokenizerAndRendererExtension = {
  name: "math",
  level: "inline",
  start: (src) => {
    const at = src.search(/\$|\\\[|\\\(/);
    return at < 0 ? undefined : at;
  },
  tokenizer(src) {
    for (const { pattern, display } of kMathForms) {
      const found = pattern.exec(src);
      if (found) return { type: "math", raw: found[0], tex: found[1].trim(), display };
    }
    return undefined;
  },
  renderer: (token) => mathSpan(token.tex as string, token.display as boolean),
};

const marked = new Marked({
  gfm: true,
  breaks: false,
  extensions: [math],
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => (/^<br\s*\/?>$/i.test(text) ? "<br>" : escapeHtml(text)),
    code: ({ text, lang }: Tokens.Code) => `<pre data-lang="${escapeHtml((lang ?? "").split(/\s/)[0])}"><code>${escapeHtml(text)}</code></pre>`,
    image({ href, text }: Tokens.Image) {
      if (kImage.test(href)) return `<img src="${href}" alt="${escapeHtml(text)}">`;
      return kLink.test(href) ? `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>` : escapeHtml(text);
    },
  },
});

// Marks nested so deep that the parser gives up are shown as they are.
function htmlOf(source: string): string {
  try {
    return marked.parse(source) as string;
  } catch {
    return `<p>${escapeHtml(source)}</p>`;
  }
}

/** Safe nodes of a block; code and formulas are still `pre[data-lang]` and `span[data-tex]`. */
export function renderBlock(source: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(htmlOf(source), {
    ALLOWED_TAGS: kTags, ALLOWED_ATTR: kAttributes, ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false,
    KEEP_CONTENT: true, RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll("a")) {
    if (!kLink.test(link.getAttribute("href") ?? "")) link.removeAttribute("href");
    else link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
  }
  for (const input of fragment.querySelectorAll("input")) {
    input.type = "checkbox";
    input.disabled = true;
    input.closest("li")?.classList.add("task");
    input.setAttribute("aria-label", input.parentElement?.textContent?.trim().slice(0, 80) || "-");
  }
  for (const heading of fragment.querySelectorAll("h1, h2, h3, h4, h5, h6")) flattenHeading(heading);
  // Marks of lists and the order of columns stand on the side where the text begins.
  for (const frame of fragment.querySelectorAll("ul, ol, blockquote, table")) frame.setAttribute("dir", "auto");
  for (const table of fragment.querySelectorAll("table")) wrapTable(table);
  return fragment;
}

// Headings of an answer stand below the message's own; levels that the model skips would mislead a screen reader.
function flattenHeading(heading: Element): void {
  const flat = document.createElement("h3");
  flat.className = `level-${heading.tagName[1]}`;
  flat.append(...heading.childNodes);
  heading.replaceWith(flat);
}

// A wide table scrolls in its own frame; a keyboard can reach it.
function wrapTable(table: HTMLTableElement): void {
  const frame = document.createElement("div");
  frame.className = "table-frame";
  frame.tabIndex = 0;
  table.replaceWith(frame);
  frame.append(table);
}
