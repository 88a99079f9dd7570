import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, accessible, ask, closeBrowser, openBrowser, until } from "./support.mjs";

let server;
before(async () => { server = await Server.start("--key", "first-key-for-the-page", "--key", "second-key-for-the-page"); });
after(async () => {
  await closeBrowser();
  await server.stop();
});

async function signIn(key) {
  const context = await (await openBrowser()).newContext({ locale: "en-GB" });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.waitForSelector("#key");
  await page.fill("#key", key);
  await page.keyboard.press("Enter");
  return page;
}

test("a server with keys asks once; a wrong key is told; each key sees its own chats", async () => {
  const first = await signIn("a-wrong-key");
  await first.waitForSelector("#key-problem:has-text('not known')");
  await accessible(first, "the key");
  await first.fill("#key", "first-key-for-the-page");
  await first.keyboard.press("Enter");
  await first.waitForSelector(".model-button:has-text(':')");
  await ask(first, "Say yes.");
  await first.reload();
  await first.waitForSelector(".bubble:has-text('Say yes.')");
  assert.equal(await first.isVisible("#key"), false);
  assert.equal(await first.evaluate(() => document.cookie), "");

  const second = await signIn("second-key-for-the-page");
  await second.waitForSelector(".model-button:has-text(':')");
  assert.equal(await second.locator(".entry").count(), 0);
  await second.goto(first.url());
  await second.waitForSelector(".notice.error");
  assert.equal(await second.locator("article").count(), 0);

  await first.click("text=Settings");
  await first.click("text=Sign out");
  await first.waitForSelector("#key");
  await until(async () => (await fetch(`${server.url}/ui/api/chats`)).status === 401, "no way without a key");
});
