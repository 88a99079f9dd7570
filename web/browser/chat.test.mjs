import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Server, answered, ask, chatOf, closeBrowser, contextThatEmits, lastAnswer, openPage, send, until } from "./support.mjs";

const kLong = "Write a very long story about a river, a mill and two brothers. Tell every detail.";
let server;
before(async () => { server = await Server.start(); });
after(async () => {
  await closeBrowser();
  await server.stop();
});

test("an answer streams, is stopped, goes on and is branched; a reload shows the same", async () => {
  const page = await openPage(server);
  await send(page, kLong);
  await page.waitForSelector(".message.assistant .markdown p");
  await page.keyboard.press("Escape");
  await answered(page);
  const stopped = await lastAnswer(page);
  assert.ok(stopped.length > 0);
  await page.waitForSelector(".note:has-text('Stopped.')");
  await page.click("button[aria-label='Go on']");
  await until(async () => (await lastAnswer(page)).length > stopped.length + 40, "the answer goes on");
  await page.click("button[aria-label='Stop']");
  await answered(page);
  assert.ok((await lastAnswer(page)).startsWith(stopped.trimEnd().slice(0, -3)));

  await page.click("button[aria-label='Answer again']");
  await page.waitForSelector("button.send[type=button]");
  await page.waitForSelector(".message.assistant .markdown p");
  await page.click("button[aria-label='Stop']");
  await answered(page);
  const second = await lastAnswer(page);
  assert.equal(await page.textContent(".message.assistant .branches .numbers"), "2/2");
  await page.click("button[aria-label='Version before']");
  assert.equal(await page.textContent(".message.assistant .branches .numbers"), "1/2");
  await page.click("button[aria-label='Version after']");
  assert.equal(await lastAnswer(page), second);

  await page.focus("#composer-text");
  await page.keyboard.press("ArrowUp");
  await page.fill(".editor textarea", "Say yes.");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".message.user .bubble:has-text('Say yes.')");
  await answered(page);
  assert.equal(await page.textContent(".message.user .branches .numbers"), "2/2");
  const answer = await lastAnswer(page);
  await page.reload();
  await page.waitForSelector(".message.user .bubble:has-text('Say yes.')");
  assert.equal(await lastAnswer(page), answer);
  await page.click(".message.user button[aria-label='Version before']");
  await page.waitForSelector(".message.user .bubble:has-text('a very long story')");
  assert.equal(await lastAnswer(page), second);
  assert.match(await page.textContent(".speed"), /tokens · .* tokens\/s · first after .* s/);
  assert.deepEqual(page.problems, []);
});

test("two tabs show the same answer as it grows; a closed tab's answer goes on", async () => {
  const first = await openPage(server);
  await send(first, kLong);
  const second = await openPage(server, { context: first.context(), path: new URL(first.url()).pathname });
  await second.waitForSelector(".message.assistant .markdown p");
  const before = (await lastAnswer(second)).length;
  await until(async () => (await lastAnswer(second)).length > before + 40, "the second tab follows");
  await first.close();
  const then = (await lastAnswer(second)).length;
  await until(async () => (await lastAnswer(second)).length > then + 40, "the answer goes on without its tab");
  await second.click("button[aria-label='Stop']");
  await answered(second);
  const other = await openPage(server, { path: new URL(second.url()).pathname });
  await other.waitForSelector(".message.assistant .actions");
  assert.equal(await lastAnswer(other), await lastAnswer(second));
  await ask(other, "Say no.");
  await second.waitForSelector(".bubble:has-text('Say no.')");
  assert.deepEqual(second.problems, []);
});

// Before the first letter, at its beginning and in the middle.
for (const letters of [0, 1, 200]) test(`a server killed after ${letters} letters loses nothing that was shown, and the page comes back by itself`, async () => {
  const page = await openPage(server);
  await send(page, kLong);
  if (letters > 0) await until(async () => (await page.locator(".message.assistant .markdown p").count()) && (await lastAnswer(page)).length > letters, "some text");
  await server.kill();
  const shown = await lastAnswer(page);
  await page.waitForSelector(".connection:has-text('Nothing is lost')");
  await page.fill("#composer-text", "And then?");
  await server.run();
  await page.waitForSelector(".note:has-text('What was written is kept')", { timeout: 60_000 });
  assert.ok((await lastAnswer(page)).startsWith(shown.trimEnd()));
  await until(async () => !(await page.isVisible(".connection p")), "the notice goes");
  assert.equal(await page.inputValue("#composer-text"), "And then?");
  await page.waitForSelector(".bubble:has-text('a very long story')");
  // An answer without a letter is asked for again, any other goes on.
  await page.click((await lastAnswer(page)) === "" ? "button[aria-label='Answer again']" : "button[aria-label='Go on']");
  await until(async () => (await lastAnswer(page)).length > shown.length + 20, "the answer goes on");
  await page.keyboard.press("Escape");
  await answered(page);
});

test("a first message that is refused leaves no chat, and its text stays", async () => {
  const page = await openPage(server);
  const before = (await server.call("GET", "/ui/api/chats")).chats.length;
  const long = `Count: ${"word ".repeat(3000)}`;
  await page.fill("#composer-text", long);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notice.error:has-text('does not fit')");
  assert.equal(await page.inputValue("#composer-text"), long);
  assert.equal(new URL(page.url()).pathname, "/");
  assert.equal(await page.locator("article").count(), 0);
  assert.equal((await server.call("GET", "/ui/api/chats")).chats.length, before);
  await page.fill("#composer-text", "Say yes.");
  await page.keyboard.press("Enter");
  await page.keyboard.type("typed meanwhile");
  await page.waitForSelector(".bubble:has-text('Say yes.')");
  await answered(page);
  assert.equal((await server.call("GET", "/ui/api/chats")).chats.length, before + 1);
  assert.equal(await page.inputValue("#composer-text"), "typed meanwhile");
  await page.keyboard.press("Control+Shift+O");
  await page.waitForSelector(".empty");
  assert.equal(await page.inputValue("#composer-text"), "");
  assert.deepEqual(page.problems, []);
});

test("a message that the server cannot take stays in the composer", async () => {
  const page = await openPage(server);
  await page.route("**/ui/api/chats", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await page.fill("#composer-text", "Do not lose me");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notice.error");
  assert.equal(await page.inputValue("#composer-text"), "Do not lose me");
  await page.reload();
  await page.waitForSelector("#composer-text");
  assert.equal(await page.inputValue("#composer-text"), "Do not lose me");
});

test("search, rename, pin, folder, delete with undo", async () => {
  await server.import(chatOf("Bread", ["How does sourdough rise?", "By wild yeast."]), chatOf("Trains", ["Which gauge?", "1435 mm."]));
  const page = await openPage(server);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("sourd");
  await page.waitForSelector(".hits mark:has-text('sourd')");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".bubble:has-text('sourdough')");
  const entry = page.locator(".entry:has-text('Bread')");
  const choose = async (item) => {
    await entry.hover();
    await entry.locator("button").first().click();
    await page.click(`[role=menuitem]:has-text('${item}')`);
  };
  await choose("Name and folder");
  await page.fill("#chat-title", "Bread and salt");
  await page.fill("#chat-folder", "Kitchen");
  await page.click(".dialog button[type=submit]");
  await page.waitForSelector("section:has(h2:has-text('Kitchen')) .entry:has-text('Bread and salt')");
  await choose("Pin");
  await page.waitForSelector("section:has(h2:has-text('Pinned')) .entry:has-text('Bread and salt')");
  await page.reload();
  await page.waitForSelector("section:has(h2:has-text('Pinned')) .entry:has-text('Bread and salt')");
  await choose("Delete");
  await until(async () => (await entry.count()) === 0, "the chat goes");
  await page.click(".notice button:has-text('Undo')");
  await entry.waitFor();
  assert.deepEqual(page.problems, []);
});

test("a temporary chat is never stored", async () => {
  const page = await openPage(server);
  const before = (await server.call("GET", "/ui/api/chats")).chats.length;
  await page.click("main button[aria-label='Temporary chat']");
  await ask(page, "Say hello.");
  assert.ok((await lastAnswer(page)).length > 0);
  assert.equal((await server.call("GET", "/ui/api/chats")).chats.length, before);
  assert.equal((await server.call("GET", "/ui/api/search?q=hello")).hits.filter((h) => h.snippet.join("").includes("Say hello.")).length, 0);
  await page.click("button[aria-label='Answer again']");
  await until(async () => (await page.locator(".message.assistant .branches .numbers").count()) === 1, "a second version");
  await answered(page);
  await page.reload();
  await page.waitForSelector(".empty");
});

test("the history goes out as a file and comes in again", async () => {
  const page = await openPage(server);
  await page.click("text=Settings");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Export everything")]);
  const file = await download.path();
  const count = (await server.call("GET", "/ui/api/chats")).chats.length;
  await page.click("text=Delete all chats");
  await page.click("text=Delete all, really");
  await until(async () => (await page.locator(".entry").count()) === 0, "all are gone");
  await page.click("text=Settings");
  await page.setInputFiles(".dialog input[type=file]", file);
  await page.waitForSelector(".notice:has-text('imported')");
  await page.keyboard.press("Escape");
  await until(async () => (await server.call("GET", "/ui/api/chats")).chats.length >= count, "all are back");
});

test("files become text with a count of tokens; a long paste becomes a file", async () => {
  const page = await openPage(server);
  await page.setInputFiles("form.composer input[type=file]", { name: "notes.md", mimeType: "text/markdown", buffer: Buffer.from("# The harbour\nIts name is Quiet Bay.") });
  await page.waitForSelector(".files li:has-text('notes.md'):has-text('tokens')");
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "word ".repeat(1000));
    document.querySelector("#composer-text").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await page.waitForSelector(".files li:has-text('pasted.txt')");
  await page.click("button[aria-label='Remove pasted.txt']");
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(["a,b\n1,2\n"], "table.csv", { type: "text/csv" }));
    document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.waitForSelector(".files li:has-text('table.csv')");
  await ask(page, "What is the harbour's name?");
  await page.waitForSelector(".attachment:has-text('notes.md')");
  assert.deepEqual(page.problems, []);
});

test("answers, code and conversations are copied, and shared as a file", async () => {
  const answer = "A **bold** word.\n\n```python\nprint(1)\n```";
  const [id] = await server.import(chatOf("Copies / and: more", ["Show me code", answer]));
  const page = await openPage(server, { path: `/chat/${id}`, permissions: ["clipboard-read", "clipboard-write"] });
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.click(".code-card button:has-text('Copy')");
  await page.waitForSelector(".code-card button:has-text('Copied')");
  assert.equal((await clipboard()).trim(), "print(1)");
  await page.click("button[aria-label='Copy the answer']");
  await until(async () => (await clipboard()) === answer, "the answer is copied");
  await page.hover(".message.user");
  await page.click("button[aria-label='Copy the message']");
  await until(async () => (await clipboard()) === "Show me code", "the message is copied");
  const choose = async (item) => {
    await page.click("button[aria-label='Options of this chat']");
    await page.click(`[role=menuitem]:has-text('${item}')`);
  };
  const whole = `# Copies / and: more\n\n## You\n\nShow me code\n\n## smollm2:135m\n\n${answer}\n`;
  await choose("Copy as Markdown");
  await until(async () => (await clipboard()) === whole, "the conversation is copied");
  const [download] = await Promise.all([page.waitForEvent("download"), choose("Save as Markdown")]);
  assert.equal(download.suggestedFilename(), "Copies and more.md");
  assert.equal(readFileSync(await download.path(), "utf8"), whole);
  assert.deepEqual(page.problems, []);
});

test("thoughts are folded, also while they grow", async () => {
  const [id] = await server.import(chatOf("Thoughts", ["Go on", "Yes."]));
  const page = await openPage(server, { context: await contextThatEmits(), path: `/chat/${id}` });
  await page.waitForSelector(".message.assistant .markdown p");
  const tell = (event) => page.evaluate((event) => window.emit(event), event);
  const parent = Number((await page.locator(".message.assistant").getAttribute("id")).split("-")[1]);
  const base = { id: 1_000_000, chat: id, parent, role: "assistant", model: "m" };
  await until(() => page.evaluate(() => Boolean(window.emit)), "events");
  // A chat that is still being fetched does not know this message, which the server never had: then it is told again.
  await until(async () => {
    await tell({ type: "message", message: { ...base, text: "", state: "running" } });
    await tell({ type: "delta", chat: id, message: base.id, reasoning: "First I **count**", reasoning_at: 0 });
    return page.locator(".fold:has-text('Thinking')").isVisible();
  }, "the thought");
  assert.equal(await page.locator("text=First I").count(), 0);
  await page.click(".fold summary");
  await page.waitForSelector(".fold strong:has-text('count')");
  await tell({ type: "delta", chat: id, message: base.id, reasoning: " to three.", reasoning_at: 17 });
  await page.waitForSelector(".fold:has-text('count to three.')");
  await tell({ type: "delta", chat: id, message: base.id, text: "Three.", at: 0 });
  await page.waitForSelector(".message:last-child > .markdown:has-text('Three.')");
  await page.waitForSelector(".fold:has-text('Thoughts')");
  await tell({ type: "message", message: { ...base, text: "Three.", reasoning: "First I **count** to three.", state: "done" } });
  await page.waitForSelector(".message:last-child .actions");
  assert.ok(await page.locator(".fold:has-text('count to three.')").isVisible());
  assert.deepEqual(page.problems, []);
});

test("tokens can be looked at, with what else they could have been", async () => {
  const page = await openPage(server);
  await ask(page, "Name a colour.");
  await page.click("button[aria-label='Show the tokens']");
  await page.waitForSelector(".token-text span");
  await page.focus(".token-text");
  const first = await page.textContent(".alternatives p");
  await page.keyboard.press("ArrowRight");
  await until(async () => (await page.textContent(".alternatives p")) !== first, "the next token");
  assert.ok((await page.locator(".alternatives li").count()) > 1);
});

test("what would be dropped is said before, and nothing is dropped silently", async () => {
  const [id] = await server.import(chatOf("Long", ["river ".repeat(700), "Yes.", "mill ".repeat(700), "Yes."]));
  const page = await openPage(server, { path: `/chat/${id}` });
  await page.waitForSelector(".bubble");
  await page.fill("#composer-text", `And that: ${"brother ".repeat(900)}`);
  await page.waitForSelector(".note.warn:has-text('would be left out')");
  await page.keyboard.press("Enter");
  await page.click(".notice button:has-text('Leave out the oldest')");
  await page.waitForSelector(".note:has-text('left out of the prompt')", { timeout: 60_000 });
  assert.equal(await page.inputValue("#composer-text"), "");
});

test("settings of a chat change its answers, and presets keep them", async () => {
  const page = await openPage(server);
  await page.click("button[aria-label='Instructions and sampling']");
  await page.fill("#set-temperature", "0");
  await page.fill("#set-max_tokens", "5");
  await page.fill("#set-seed", "7");
  await page.fill("#system-prompt", "You speak of rivers only.");
  await page.fill("input[placeholder='Name of a new preset']", "Five words");
  await page.click(".drawer button:has-text('Save')");
  await page.keyboard.press("Escape");
  await ask(page, "Tell me about rivers.");
  await page.waitForSelector(".note:has-text('longest length')");
  assert.match(await page.textContent(".speed"), /^5 tokens/);
  await page.reload();
  await page.waitForSelector(".message.assistant .actions");
  await page.click("button[aria-label='Instructions and sampling']");
  assert.equal(await page.inputValue("#set-max_tokens"), "5");
  assert.equal(await page.inputValue("#system-prompt"), "You speak of rivers only.");
  const { chats: [chat] } = await server.call("GET", "/ui/api/chats");
  assert.equal(chat.system, "You speak of rivers only.");
  await page.waitForSelector(".chip:has-text('Five words')");
  await page.keyboard.press("Escape");
});

test("a slow network delays, and loses nothing", async () => {
  const page = await openPage(server);
  const session = await page.context().newCDPSession(page);
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 40_000, uploadThroughput: 20_000 });
  await page.goto(server.url);
  await page.waitForSelector(".model-button:has-text(':')", { timeout: 60_000 });
  await ask(page, "Say yes.");
  const text = await lastAnswer(page);
  await session.send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  await page.fill("#composer-text", "And now?");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".notice.error");
  assert.equal(await page.inputValue("#composer-text"), "And now?");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  // A call that begins while the network comes back may fail once more; its text is in the composer again then.
  await until(async () => {
    if (await page.locator(".bubble:has-text('And now?')").count()) return true;
    await page.keyboard.press("Enter");
    return false;
  }, "the message is sent");
  await answered(page);
  assert.equal(await page.locator(".bubble:has-text('And now?')").count(), 1);
  assert.ok(text.length > 0);
});
