import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, chatOf, closeBrowser, contextThatEmits, openPage, unharmed, until } from "./support.mjs";

const kHostile = [
  "<script>window.pwned=1</script>",
  "<img src=x onerror=\"window.pwned=1\">",
  "<svg onload=\"window.pwned=1\"><script>window.pwned=1</script></svg>",
  "<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s>",
  "<iframe srcdoc=\"<script>parent.pwned=1</script>\"></iframe>",
  "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=window.pwned=1&gt;\">",
  "<a href=\"javascript:window.pwned=1\">x</a> [x](javascript:window.pwned=1) [y](  JaVaScRiPt:window.pwned=1) [z](data:text/html,<script>parent.pwned=1</script>)",
  "<javascript:window.pwned=1> <form action=//evil.example><button>x</button></form> <base href=//evil.example> <link rel=stylesheet href=//evil.example>",
  "![x](https://evil.example/track.png) ![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+) ![\"onerror=\"window.pwned=1](x)",
  "[x](https://ok.example\"onmouseover=\"window.pwned=1) <https://ok.example/\"onclick=\"window.pwned=1>",
  "```\"><img/src/onerror=window.pwned=1>\ncode</code></pre><script>window.pwned=1</script>\n```",
  "```html\n<script>window.pwned=1</script>\n<img src=x onerror=window.pwned=1>\n```",
  "| <img src=x onerror=window.pwned=1> | b |\n|---|---|\n| <style>*{display:none}</style> | <b onclick=window.pwned=1>x</b> |",
  "$\\href{javascript:window.pwned=1}{x}$ $\\url{javascript:window.pwned=1}$ $\\htmlData{x=1}{y}$ $\\includegraphics{https://evil.example/x.png}$",
  "$$\\def\\a{\\a\\a}\\a$$ $$\\rule{1000000em}{1000000em}$$ $\\unicode{<img src=x onerror=window.pwned=1>}$ $<img src=x onerror=window.pwned=1>$",
  "<span data-tex=\"\\href{javascript:window.pwned=1}{x}\" data-display=1>x</span><pre data-lang='\"><img src=x onerror=window.pwned=1>'>x</pre>",
  "<div id=app></div><div id=announcements></div><input id=composer-text name=getElementById>",
  "\u202Eevil\u202C \u0000 \uFFFE <!--", "<![CDATA[<script>window.pwned=1</script>]]> <?xml <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
  `${"[".repeat(5000)}x${"]".repeat(5000)}`, "> ".repeat(2000) + "deep", `${"*".repeat(3000)}a${"_".repeat(3000)}`, `${"- ".repeat(300)}deep list`, "`".repeat(5000), "$".repeat(5001), "|".repeat(4000) + "\n" + "|-".repeat(4000),
];

const kChanging = [
  // What has changed its meaning between two parsers elsewhere.
  "<form><math><mtext></form><form><mglyph><style></math><img src onerror=window.pwned=1>",
  "<svg></p><style><a id=\"</style><img src=1 onerror=window.pwned=1>\">", "<noscript><p title=\"</noscript><img src=x onerror=window.pwned=1>\">",
  "<template><script>window.pwned=1</script></template> <xmp><img src=x onerror=window.pwned=1></xmp> <textarea></textarea><img src=x onerror=window.pwned=1>",
  "<svg><foreignObject><iframe xmlns=http://www.w3.org/1999/xhtml srcdoc=\"<script>parent.pwned=1</script>\"></foreignObject></svg>",
  "<a href=\"&#106;avascript:window.pwned=1\">x</a> [x](&#106;avascript:window.pwned=1) [x](java\tscript:window.pwned=1) [x](vbscript:x) [x](//evil.example) [x](\\\\evil.example) [x](blob:x)",
  "<img srcset=\"https://evil.example/a.png 1x\"> <video poster=https://evil.example/p.png><source src=https://evil.example/v.mp4></video> <input type=image src=https://evil.example/i.png> <meta http-equiv=refresh content=\"0;url=https://evil.example\">",
  "![x][r]\n\n[r]: https://evil.example/ref.png \"t\"", "![x](data:image/svg+xml,<svg/onload=window.pwned=1>) ![x](data:text/html;base64,PHNjcmlwdD4=) [x](data:image/png;base64,AAAA)",
  "[x]: javascript:window.pwned=1\n\n[x] [x][] [y][x]", "<style>@import url(https://evil.example/x.css);</style><div style=\"background:url(https://evil.example/b.png)\">x</div>",
  "$\\color{red;background:url(https://evil.example/c.png)}{x}$ $\\htmlStyle{background:url(https://evil.example)}{x}$ $\\class{a\" onclick=\"window.pwned=1}{x}$ $\\href{data:text/html,x}{y}$ $\\tag{<b>}$",
  "$$\\begin{matrix}" + "a&".repeat(2000) + "\\end{matrix}$$", "$" + "{".repeat(4000) + "}".repeat(4000) + "$", "$" + "\\frac{1}{".repeat(300) + "}".repeat(300) + "$",
  "```js\nlet x = \"\u202E\u2066// admin\u2069 \u2066\";\n```", "\u202E\u2066 turned around \u2069 `\u202Ecode`", "a\u0301".repeat(2000) + "\u0300".repeat(3000),
  "| a |\n|---|\n" + "| <img src=x onerror=window.pwned=1> |\n".repeat(1500), "|" + " x |".repeat(1000) + "\n|" + "---|".repeat(1000) + "\n|" + " y |".repeat(1000),
  Array.from({ length: 120 }, (_, i) => `${"  ".repeat(i)}- ${i}`).join("\n"), Array.from({ length: 100 }, (_, i) => `${"> ".repeat(i)}${i}`).join("\n\n"),
];

let server;
before(async () => { server = await Server.start(); });
after(async () => {
  await closeBrowser();
  await server.stop();
});

test("hostile answers, questions, titles and models run nothing", async () => {
  const chat = chatOf(kHostile[1], [...kHostile, ...kChanging].flatMap((text) => [text, text]));
  for (const message of chat.messages) Object.assign(message, { reasoning: message.role === "assistant" ? message.text : "", model: kHostile[1] });
  const [id] = await server.import(chat);
  const page = await openPage(server, { path: `/chat/${id}` });
  page.on("dialog", () => page.problems.push("a dialog"));
  await page.waitForSelector(".bubble");
  // Every message comes near once.
  await page.evaluate(async () => {
    const s = document.querySelector("#scroller");
    for (s.scrollTop = 0; document.querySelector(".far"); s.scrollTop += 1500) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (s.scrollTop + s.clientHeight >= s.scrollHeight - 4) s.scrollTop = 0;
    }
  });
  await page.evaluate(() => { for (const fold of document.querySelectorAll(".fold")) fold.open = true; });
  await page.waitForSelector(".katex");
  for (const link of await page.locator(".markdown a").all()) await link.dispatchEvent("mouseover");
  await unharmed(page);
  assert.deepEqual(page.problems, []);
});

test("hostile text that streams runs nothing in any of its half-open states", async () => {
  const [id] = await server.import(chatOf("Stream", ["Go on", "."]));
  const context = await contextThatEmits();
  const page = await openPage(server, { context, path: `/chat/${id}` });
  await page.waitForSelector(".message.assistant .markdown p");
  await until(() => page.evaluate(() => Boolean(window.emit)), "events");
  const texts = [...[...kHostile, ...kChanging].map((t) => t.slice(0, 400)), "\uD800 half a letter"];
  await page.evaluate(async ({ id, texts }) => {
    const message = 1_000_000;
    const parent = Number(document.querySelector(".message.assistant").id.split("-")[1]);
    window.emit({ type: "message", message: { id: message, chat: id, parent, role: "assistant", text: "", state: "running", model: "m" } });
    let at = 0;
    for (const text of texts)
      for (let i = 0; i < text.length + 2; i += 7) {
        const piece = (text + "\n\n").slice(i, i + 7);
        window.emit({ type: "delta", chat: id, message, text: piece, at });
        at += piece.length;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    window.emit({ type: "message", message: { id: message, chat: id, parent, role: "assistant", text: texts.join("\n\n"), state: "done", model: "m" } });
  }, { id, texts });
  await page.waitForSelector(".message:last-child .actions");
  await unharmed(page);
  assert.deepEqual(page.problems, []);
});

test("the policy forbids what the page does not do", async () => {
  const response = await fetch(server.url + "/");
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
});
