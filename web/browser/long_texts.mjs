// Long chats and answers, for the tests of how much the page does and for the measuring of how long it takes.
import { chatOf, contextThatEmits, openPage, until } from "./support.mjs";

const kBlock = "Some text with **bold** words, `code` and a [link](https://example.org), long enough to wrap over lines. Some more of it.\n\n- one\n- two\n\n```js\nfor (let i = 0; i < 10; ++i) console.log(i);\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n";
const sized = (n) => kBlock.repeat(Math.ceil(n / kBlock.length)).slice(0, n);

export const kDesk = { viewport: { width: 1280, height: 800 } };
export const longChat = () => chatOf("Five hundred", Array.from({ length: 500 }, (_, i) => `${i} ${sized(2000)}`));

/** Answers of 100 kB. */
export const kShapes = {
  "of many blocks": sized(100_000),
  "in one paragraph": "A sentence with **some** marks and no end of a line. ".repeat(1900).slice(0, 100_000),
  "in one code block": "```cpp\n" + "int value = compute(a, b) + 42;  // a comment\n".repeat(2150).slice(0, 100_000),
  "in one list": "- an item of a list with `code` in it\n".repeat(2600).slice(0, 100_000),
};

/** A page with a chat whose next answer is told by `emit` of its window. */
export async function pageThatHears(server, title) {
  const [chat] = await server.import(chatOf(title, ["Go on", "Yes."]));
  const context = await contextThatEmits(kDesk);
  const page = await openPage(server, { context, path: `/chat/${chat}` });
  await page.waitForSelector(".message.assistant .markdown p");
  await until(() => page.evaluate(() => Boolean(window.emit)), "events");
  return { page, chat, context };
}

/** In the page: tells an answer in pieces of 150 letters, `pause` after each. */
export async function streamAnswer({ chat, text, pause }) {
  const message = 1_000_000;
  const parent = Number(document.querySelector(".message.assistant").id.split("-")[1]);
  const base = { id: message, chat, parent, role: "assistant", model: "m" };
  window.emit({ type: "message", message: { ...base, text: "", state: "running" } });
  for (let at = 0; at < text.length; at += 150) {
    window.emit({ type: "delta", chat, message, text: text.slice(at, at + 150), at });
    await new Promise((resolve) => (pause === "frame" ? requestAnimationFrame(resolve) : setTimeout(resolve, pause)));
  }
  window.emit({ type: "message", message: { ...base, text, state: "done" } });
}
