import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Server, answered, closeBrowser, openPage, smallModelFile, until } from "./support.mjs";

// The second model is a copy of the first under a name of its own.
let server, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "rival-twin-"));
  copyFileSync(smallModelFile(), join(folder, "twin.gguf"));
  server = await Server.start("--model", "smollm2:135m", "--model", join(folder, "twin.gguf"));
});
after(async () => {
  await closeBrowser();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("two models answer side by side, and the chat goes on below the chosen one", async () => {
  const page = await openPage(server);
  await page.click("button[aria-label='Compare with a second model']");
  await page.click(".menu-list button:has-text('twin')");
  await page.fill("#composer-text", "Name three rivers.");
  await page.keyboard.press("Enter");
  await until(async () => (await page.locator(".side").count()) === 2, "two answers");
  await answered(page);
  assert.deepEqual(await page.locator(".model-name").allTextContents().then((names) => names.map((n) => n.includes("twin"))), [false, true]);
  for (const side of await page.locator(".side .markdown").all()) assert.ok((await side.innerText()).length > 0);
  await page.click("button:has-text('Go on with this one')");
  await until(async () => ((await page.locator(".side.chosen").getAttribute("aria-label")) ?? "").includes("twin"), "the second is chosen");
  await page.click("button[aria-label^='Compare with a second model']");
  await page.click(".menu-list button:has-text('One model only')");
  await page.fill("#composer-text", "And one more?");
  await page.keyboard.press("Enter");
  await until(async () => (await page.locator("article").count()) === 4, "the chat goes on");
  await answered(page);
  await page.reload();
  await until(async () => (await page.locator(".side.chosen").count()) === 1, "the pair is still there");
  assert.ok((await page.locator(".side.chosen").getAttribute("aria-label")).includes("twin"));
  assert.deepEqual(page.problems, []);
});
