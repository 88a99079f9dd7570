import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chatGptExport, llamaExport } from "./exports.mjs";
import { Server, accessible, chatOf, closeBrowser, openPage, unharmed, until } from "./support.mjs";

let server;
before(async () => { server = await Server.start(); });
after(async () => {
  await closeBrowser();
  await server.stop();
});

/** Imports by the dialog, as a user does; returns what the page says. */
async function importFile(page, name, content) {
  for (let close; (close = page.locator(".notice button[aria-label='Close']").first()) && (await close.count());) await close.click();
  await page.click(".sidebar-foot button");
  await page.setInputFiles(".dialog input[type=file]", { name, mimeType: "application/json", buffer: Buffer.from(typeof content === "string" ? content : JSON.stringify(content)) });
  const said = await until(async () => (await page.locator(".dialog .notice span").allTextContents())[0], "the page says what came of it");
  await page.keyboard.press("Escape");
  return said;
}

const open = async (page, title) => {
  await page.locator(`.entry a:has-text('${title}')`).first().click();
  await page.waitForSelector(`.entry.open:has-text('${title}')`);
};

test("ChatGPT's export comes with branches, thoughts, code, files and tables", async () => {
  const page = await openPage(server);
  assert.equal(await importFile(page, "conversations.json", chatGptExport()), "2 chats were imported.");
  await open(page, "Prime numbers");
  await page.waitForSelector(".katex");
  const question = page.locator(".message.user").first();
  assert.match(await question.innerText(), /numbers\.csv\s*photo\.png[^]*\[image_asset_pointer\]\s*Which of these numbers/);
  assert.equal(await page.locator(".message.assistant .branches .numbers").first().textContent(), "2/2");
  await page.locator(".fold:has-text('Thoughts') summary").first().click();
  await page.waitForSelector(".fold:has-text('sieve of Eratosthenes')");
  await page.waitForSelector(".code-card:has-text('for n in range') .hljs-built_in");
  await page.waitForSelector(".fold:has-text('Result of the tool') .brief:has-text('[2, 3, 5')");
  assert.equal(await page.locator(".message.assistant .markdown table td").count(), 4);
  assert.doesNotMatch(await page.locator("main").innerText(), /[\ue200-\ue2ff]|turn0search0|Thought for 3/);
  await page.waitForSelector(".bubble:has-text('And below 100?')");
  await page.locator(".message.user:has-text('And below 100?') button[aria-label='Version after']").click();
  await page.waitForSelector(".message.assistant:has-text('A hundred and sixty-eight.')");
  await page.locator(".message.assistant button[aria-label='Version before']").first().click();
  await page.waitForSelector(".message.assistant:has-text('I would rather not say.')");
  await accessible(page, "an imported chat");
  await open(page, "\u062A\u062D\u064A\u0629");
  await page.waitForSelector(".bubble:has-text('\u0645\u0631\u062D\u0628\u0627')");
  assert.match(await importFile(page, "conversations.json", chatGptExport().map((chat, i) => ({ ...chat, conversation_id: `twice-${i}` }))), /2 chats were imported/);
  assert.match(await importFile(page, "again.json", chatGptExport().map((chat, i) => ({ ...chat, conversation_id: `twice-${i}` }))), /0 chats were imported\. 2 were here already/);
  assert.deepEqual(page.problems, []);
});

test("llama.cpp's export comes with branches, files, thoughts and tools, and goes on", async () => {
  const page = await openPage(server);
  assert.equal(await importFile(page, "conversation.json", llamaExport()), "1 chat was imported.");
  await open(page, "Build error");
  await page.waitForSelector(".bubble:has-text('Why does the build fail?')");
  assert.deepEqual(await page.locator(".attachment").allInnerTexts(), ["build.log", "screen.png"]);
  assert.equal(await page.locator(".message.assistant .branches .numbers").first().textContent(), "2/2");
  await page.waitForSelector(".fold:has-text('Calls read_log')");
  await page.waitForSelector(".fold:has-text('Result of read_log') .brief:has-text('main.c:3: error')");
  await page.waitForSelector(".code-card:has-text('int x = 1;')");
  await page.waitForSelector(".message.assistant:has-text('You are welcome.')");
  await page.fill("#composer-text", "One more thing");
  await page.keyboard.press("Enter");
  await until(async () => (await page.locator("article").count()) === 8, "the chat goes on");
  await page.keyboard.press("Escape");
  assert.deepEqual(page.problems, []);
});

test("a file that is none is refused in words, and nothing of it stays", async () => {
  const page = await openPage(server);
  const before = (await server.call("GET", "/ui/api/chats")).chats.length;
  for (const content of ["", "{", "\u0000\u0001", "[1, 2]", "{}", '"text"', "[".repeat(100_000)]) assert.match(await importFile(page, "bad.json", content), /This file holds no/);
  assert.match(await importFile(page, "half.json", [{ title: "Half", mapping: { a: { parent: "a", message: null } } }, ...chatGptExport().slice(1).map((chat) => ({ ...chat, conversation_id: "half" }))]), /1 chat was imported|was not imported/);
  assert.equal((await server.call("GET", "/ui/api/chats")).chats.length, before + 1);
  assert.deepEqual(page.problems, []);
});

// Whatever stands where, the chat opens, shows its text and runs nothing.
const kEvil = "<img src=x onerror=\"window.pwned=1\"><svg onload=\"window.pwned=1\">";
const kWrong = [5, "x", [5, null, {}], { a: { b: [] } }, null, true, kEvil, [kEvil], { name: kEvil }];

test("hostile files run nothing, and one wrong member never hides the chat", async () => {
  const page = await openPage(server);
  const own = kWrong.map((wrong, i) => {
    const chat = chatOf(`Own ${i} ${kEvil}`, [`Question ${i}`, `Answer ${i} ${kEvil}`]);
    Object.assign(chat, { folder: wrong, settings: { stop: wrong, tools: wrong, temperature: wrong, model: wrong }, pinned: wrong, system: wrong, title_by: wrong, created: wrong });
    Object.assign(chat.messages[1], { tool_calls: wrong, usage: wrong, timings: wrong, settings: wrong, group: wrong, error: wrong, model: wrong, reasoning: wrong, state: wrong, attachments: wrong, created: wrong });
    Object.assign(chat.messages[0], { attachments: [{ name: `\u202Etxt.${kEvil}`, text: wrong, bytes: wrong }, wrong], tool_call_id: wrong });
    return chat;
  });
  assert.match(await importFile(page, "own.json", { format: "rival-chats", version: 1, chats: own }), /9 chats were imported/);
  const gpt = chatGptExport()[0];
  Object.assign(gpt, { title: `GPT ${kEvil}`, conversation_id: kEvil });
  for (const node of Object.values(gpt.mapping)) if (node.message?.content.parts) node.message.content.parts.push(kEvil, { content_type: kEvil }, 5, null);
  assert.match(await importFile(page, "gpt.json", [gpt]), /1 chat was imported/);
  const llama = llamaExport();
  Object.assign(llama.conv, { name: `Llama ${kEvil}`, id: kEvil });
  for (const message of llama.messages) Object.assign(message, { content: message.content + kEvil, model: kEvil, extra: [{ type: kEvil, name: kEvil, content: kEvil }] });
  assert.match(await importFile(page, "llama.json", llama), /1 chat was imported/);
  const { chats, pinned } = await server.call("GET", "/ui/api/chats?limit=200");
  for (const { id, title } of [...chats, ...pinned].filter((chat) => chat.title.includes("onerror"))) {
    await page.goto(`${server.url}/chat/${id}`);
    await page.waitForSelector("article");
    await page.waitForSelector(".bubble");
    await page.evaluate(() => { for (const fold of document.querySelectorAll(".fold")) fold.open = true; });
    await page.click("button[aria-label^='Instructions and sampling']");
    await page.waitForSelector("#system-prompt");
    await page.keyboard.press("Escape");
    await unharmed(page);
    assert.ok((await page.locator("main").innerText()).includes("onerror"), title);
  }
  assert.doesNotMatch(await page.locator("#app").innerText(), /[\u202A-\u202E\u2066-\u2069]/);
  assert.deepEqual(page.problems, []);
});
