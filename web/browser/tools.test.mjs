import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, accessible, answered, chatOf, closeBrowser, openPage, until } from "./support.mjs";

let server;
before(async () => { server = await Server.start(); });
after(async () => {
  await closeBrowser();
  await server.stop();
});

async function setTools(page) {
  await page.click("button[aria-label='Instructions and sampling']");
  await page.fill("#set-temperature", "0");
  await page.fill("#set-max_tokens", "60");
  await page.click(".tools-field summary");
  await page.fill("#set-tools", "[{");
  await page.waitForSelector("#set-tools-problem:has-text('no JSON yet')");
  await page.fill("#set-tools", "");
  await page.click("button:has-text('Begin with an example')");
  await page.waitForSelector(".tools-field .badge:has-text('1 tool')");
  assert.equal(await page.textContent("#set-tools-problem"), "");
  // The small model would write names of cities without an end.
  await page.fill("#set-tools", (await page.inputValue("#set-tools")).replace('"type": "string"', '"enum": ["Paris", "Rome"]'));
  await page.waitForSelector(".tools-field .badge:has-text('1 tool')");
  await page.click("label:has-text('Always')");
  await accessible(page, "tools");
  await page.keyboard.press("Escape");
  await page.waitForSelector("button[aria-label='Instructions and sampling: 1 tool']");
}

async function callAndAnswer(page) {
  await page.fill("#composer-text", "What is the weather in Paris?");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".fold:has-text('Calls get_weather')", { timeout: 60_000 });
  await answered(page);
  await page.waitForSelector("form.results");
  await accessible(page, "a call waits");
  assert.ok(await page.isDisabled("form.results button"));
  // The model may call more than once.
  for (const area of await page.locator("form.results textarea").all()) await area.fill('{"sky": "clear", "celsius": 21}');
  await page.keyboard.press("Enter");
  await page.waitForSelector(".fold:has-text('Result of get_weather')");
  await until(() => page.evaluate(() => document.querySelector("article:last-of-type").classList.contains("assistant")), "the model goes on");
  await answered(page);
}

test("tools are pasted, called, given a result and answered with; a reload shows the same", async () => {
  const page = await openPage(server);
  await setTools(page);
  await callAndAnswer(page);
  await page.click(".fold:has-text('Calls get_weather') summary");
  const call = JSON.parse(await page.textContent(".fold:has-text('Calls get_weather') pre"));
  assert.ok(["Paris", "Rome"].includes(call.city), call.city);
  const { chats } = await server.call("GET", "/ui/api/chats");
  const { messages } = await server.call("GET", `/ui/api/chats/${chats[0].id}`);
  const { tool_calls } = messages[1];
  assert.deepEqual(messages.map((m) => m.role), ["user", "assistant", ...tool_calls.map(() => "tool"), "assistant"]);
  assert.deepEqual(messages.slice(2, -1).map((m) => m.tool_call_id), tool_calls.map((call) => call.id));
  await page.reload();
  await page.waitForSelector(".fold:has-text('Result of get_weather')");
  await page.click("button[aria-label='Instructions and sampling: 1 tool']");
  assert.ok((await page.inputValue("#set-tools")).includes("get_weather"));
  assert.deepEqual(page.problems, []);
});

test("a temporary chat calls tools too, and leaves nothing", async () => {
  await server.call("PUT", "/ui/api/preferences", {});
  const page = await openPage(server);
  await setTools(page);
  const before = (await server.call("GET", "/ui/api/chats")).chats.length;
  await page.click("main button[aria-label='Temporary chat']");
  await callAndAnswer(page);
  assert.equal((await server.call("GET", "/ui/api/chats")).chats.length, before);
  assert.deepEqual(page.problems, []);
});

test("calls of an imported chat are drawn, and the open ones can be answered", async () => {
  const chat = chatOf("Calls", ["Compare two cities", ""]);
  chat.messages[1].tool_calls = [{ id: "a", name: "get_weather", arguments: '{"city":"Rome"}' }, { id: "b", name: "<img src=x onerror=alert(1)>", arguments: "not json <b>x</b>" }, { id: "c", name: "now", arguments: "{}" }];
  chat.messages.push({ id: 3, parent: 2, role: "tool", tool_call_id: "c", text: "12:30", state: "done" });
  chat.leaf = 3;
  const [id] = await server.import(chat);
  const page = await openPage(server, { path: `/chat/${id}` });
  await page.waitForSelector("form.results");
  assert.deepEqual(await page.locator("form.results label").allTextContents(), ["Result of get_weather", "Result of <img src=x onerror=alert(1)>"]);
  assert.equal(await page.locator(".fold:has-text('Result of now') .brief").textContent(), "12:30");
  await page.locator("form.results textarea").nth(0).fill("sun");
  assert.ok(await page.isDisabled("form.results button"));
  await page.locator("form.results textarea").nth(1).fill("rain");
  await page.click("form.results button:has-text('Give the results')");
  await until(async () => (await page.locator("article").count()) === 6, "the model goes on");
  await page.keyboard.press("Escape");
  await answered(page);
  const { messages } = await server.call("GET", `/ui/api/chats/${id}`);
  assert.deepEqual(messages.filter((m) => m.role === "tool").map((m) => [m.tool_call_id, m.text]), [["c", "12:30"], ["a", "sun"], ["b", "rain"]]);
  assert.deepEqual(page.problems, []);
});
