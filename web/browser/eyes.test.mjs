import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, accessible, ask, chatOf, closeBrowser, lastAnswer, openPage, send, until } from "./support.mjs";

const kRich = "# Title\n\nText with **bold**, `code`, $x^2$ and [a link](https://example.org).\n\n### Deep\n\n- [x] done\n- [ ] open\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```python\ndef f(x):\n    return x + 1  # one\n```\n\n> quote\n\n$$\\int_0^1 x\\,dx$$\n";
let server, id;
before(async () => {
  server = await Server.start();
  [id] = await server.import(chatOf("Rich", ["Show me everything", kRich, "Thanks", "You are welcome."]));
});
after(async () => {
  await closeBrowser();
  await server.stop();
});

const kDialogs = [
  ["search", (page) => page.keyboard.press("Control+k")],
  ["keys", (page) => page.keyboard.press("Control+/")],
  ["models", (page) => page.click(".model-button")],
  ["controls", (page) => page.click("button[aria-label='Instructions and sampling']")],
  ["settings", (page) => page.click(".sidebar-foot button")],
  ["name and folder", async (page) => {
    await page.click("button[aria-label='Options of this chat']");
    await page.click("[role=menuitem]:has-text('Name and folder')");
  }],
];

for (const colorScheme of ["light", "dark"]) {
  test(`axe-core finds nothing: ${colorScheme}`, async () => {
    const page = await openPage(server, { colorScheme, reducedMotion: "reduce" });
    await accessible(page, "empty");
    await page.goto(`${server.url}/chat/${id}`);
    await page.waitForSelector(".katex");
    await page.waitForSelector(".hljs-keyword");
    await accessible(page, "a chat");
    for (const [name, open] of kDialogs) {
      await open(page);
      await page.waitForSelector("dialog[open]");
      await accessible(page, name);
      await page.keyboard.press("Escape");
      await until(async () => !(await page.isVisible("dialog[open]")), `${name} closes`);
    }
    await page.click("button[aria-label='Options of this chat']");
    await accessible(page, "menu");
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.click(".sidebar-button");
    await page.waitForSelector(".sidebar.shown");
    await accessible(page, "phone with the chats");
  });
}

for (const width of [320, 390, 768, 1440]) {
  test(`nothing is cut off at ${width} px`, async () => {
    const page = await openPage(server, { viewport: { width, height: 720 }, path: `/chat/${id}` });
    await page.waitForSelector(".katex");
    assert.ok((await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector("#scroller").scrollWidth + document.querySelector("main").offsetLeft))) <= width);
    for (const name of ["Write a message", "Send"]) assert.ok(await page.locator(`[aria-label='${name}']`).isVisible(), name);
  });
}

test("nothing moves for who wants it still", async () => {
  const page = await openPage(server, { reducedMotion: "reduce" });
  await send(page, "Write a very long story about a river.");
  await page.waitForSelector(".message.assistant");
  assert.deepEqual(await page.evaluate(() => document.getAnimations().map((a) => a.animationName)), []);
  await page.keyboard.press("Escape");
});

test("every control can be reached by Tab and shows where the focus is", async () => {
  const page = await openPage(server, { path: `/chat/${id}` });
  await page.waitForSelector(".katex");
  const seen = new Set();
  await page.evaluate(() => document.body.focus());
  for (let i = 0; i < 80; ++i) {
    await page.keyboard.press("Tab");
    const { name, ring } = await page.evaluate(() => {
      const e = document.activeElement;
      const style = (x) => getComputedStyle(x);
      const frame = e.closest(".composer-card") ?? e;
      return { name: e.getAttribute("aria-label") ?? e.textContent.trim().slice(0, 40), ring: [e, frame].some((x) => style(x).outlineStyle !== "none" && parseFloat(style(x).outlineWidth) > 0) || e === document.body };
    });
    assert.ok(ring, `no ring around ${name}`);
    seen.add(name);
  }
  for (const name of ["Skip to the message field", "New chat", "Search", "Settings", "Hide the chats", "Copy the answer", "Answer again", "Write a message", "Attach files", "Options of this chat"]) assert.ok(seen.has(name), `${name}: ${[...seen]}`);
});

test("keys do what the list says", async () => {
  const page = await openPage(server, { path: `/chat/${id}` });
  await page.waitForSelector(".bubble");
  await page.keyboard.press("Control+b");
  await until(async () => !(await page.isVisible(".sidebar")), "the chats hide");
  await page.keyboard.press("Control+b");
  await until(() => page.isVisible(".sidebar"), "the chats show");
  await page.keyboard.press("Control+Shift+O");
  await page.waitForSelector(".empty");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "composer-text");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  assert.equal(await page.inputValue("#composer-text"), "one\ntwo");
  await page.keyboard.press("Control+/");
  assert.equal(await page.locator(".keys > div").count(), 8);
  await page.keyboard.press("Escape");
  await until(() => page.evaluate(() => document.activeElement?.id === "composer-text"), "the focus returns");
});

test("German, and back", async () => {
  const page = await openPage(server, { locale: "de-DE" });
  await page.waitForSelector("text=Neuer Chat");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
  await page.click("text=Einstellungen");
  await page.click("label:has-text('English')");
  await page.waitForSelector("text=New chat");
  await page.click("label:has-text('Automatic') >> nth=1");
  await page.waitForSelector("text=Neuer Chat");
  await new Promise((resolve) => setTimeout(resolve, 500));
});

test("a screen reader hears now and then that the answer grows, and all of it in the end", async () => {
  const page = await openPage(server);
  await page.evaluate(() => {
    window.heard = [];
    const look = () => window.heard.push(...[...document.querySelectorAll("#announcements > div")].map((d) => d.textContent).filter(Boolean));
    new MutationObserver(look).observe(document.querySelector("#announcements"), { childList: true, subtree: true, characterData: true });
  });
  await ask(page, "Tell me a story about a river in four sentences.");
  const text = await lastAnswer(page);
  const heard = await until(() => page.evaluate(() => window.heard.some((h) => /^Answer (complete|ended early):/.test(h)) && window.heard), "the end is told");
  assert.equal(heard[0], "The answer begins");
  assert.ok(heard.at(-1).replace(/\W/g, "").includes(text.replace(/\W/g, "").slice(-60)));
  assert.ok(heard.length < 10, `${heard.length} announcements`);
});

test("a page that scrolls away from a growing answer stays where it is", async () => {
  const page = await openPage(server, { viewport: { width: 800, height: 420 } });
  await send(page, "Write a very long story about a river, a mill and two brothers.");
  await until(() => page.evaluate(() => document.querySelector("#scroller").scrollTop > 200), "the end is followed", 60_000);
  await page.mouse.move(600, 200);
  await page.mouse.wheel(0, -150);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const at = await page.evaluate(() => document.querySelector("#scroller").scrollTop);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(Math.abs((await page.evaluate(() => document.querySelector("#scroller").scrollTop)) - at) < 3);
  await page.keyboard.press("Escape");
});
