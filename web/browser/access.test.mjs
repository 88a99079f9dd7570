import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
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

test("a phone opens the machine's own address, without HTTPS", async (t) => {
  const address = Object.values(networkInterfaces()).flat().find((i) => i.family === "IPv4" && !i.internal)?.address;
  if (!address) return t.skip("this machine has no address but its own");
  const open = await Server.start("--host", "0.0.0.0", "--key", "first-key-for-the-page");
  try {
    open.url = `http://${address}:${open.port}`;
    const context = await (await openBrowser()).newContext({ locale: "en-GB", viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    await page.goto(open.url);
    assert.equal(await page.evaluate(() => isSecureContext), false);
    await page.fill("#key", "first-key-for-the-page");
    await page.tap("button:has-text('Sign in')");
    await page.waitForSelector(".model-button:has-text(':')");
    await ask(page, "Say yes.");
    await page.tap("button[aria-label='Copy the answer']");
    await page.waitForSelector("button[aria-label='Copy the answer'][data-state=done]");
    await page.reload();
    await page.waitForSelector(".bubble:has-text('Say yes.')");
  } finally {
    await open.stop();
  }
});
