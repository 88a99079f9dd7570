import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Hub, row } from "./hub.mjs";
import { Server, accessible, ask, closeBrowser, lastAnswer, openPage, smallModelFile, until } from "./support.mjs";

const kHuge = 3_000_000_000_000;  // more than any disk here has
let server, hub, folder;
before(async () => {
  const file = smallModelFile();
  const data = readFileSync(file);
  hub = await Hub.start();
  hub.files.set("org/m/model.gguf", { data, stallFrom: 20_000_000 });
  hub.files.set("org/m/damaged.gguf", { data: data.subarray(0, 1 << 20), damaged: true });
  hub.files.set("org/m/huge.gguf", { data: Buffer.from("GGUF"), announced: kHuge });
  folder = mkdtempSync(join(tmpdir(), "rival-home-"));
  const free = { licence: { id: "MIT", url: "https://example.org/mit" } };
  writeFileSync(join(folder, "catalogue.json"), JSON.stringify({ models: [
    row("river:135m", "org/m/model.gguf", data.length, { note: "A copy of the small model" }),
    row("damaged:1m", "org/m/damaged.gguf", 1 << 20, free), row("huge:1t", "org/m/huge.gguf", kHuge, free), row("gone:1m", "org/m/gone.gguf", 1 << 20, free) ] }));
  server = await Server.startIn({ RIVAL_HOME: folder, HF_HOME: folder, HF_ENDPOINT: hub.url, RIVAL_RETRY_MS: "1" }, "--model", file);
});
after(async () => {
  await closeBrowser();
  await server?.stop();
  await hub?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function openModels(options = {}) {
  const page = await openPage(server, options);
  await page.click(".model-button");
  await page.waitForSelector(".models .model");
  return page;
}
const rowOf = (page, name) => page.locator(".model", { has: page.locator(`h3:text-is('${name}')`) });

test("a model is fetched after its licence is accepted, stopped, taken up again, chosen and asked", async () => {
  const page = await openModels();
  const river = rowOf(page, "river:135m");
  assert.match(await river.innerText(), /135M parameters[^]*98 MB on disk[^]*in memory[^]*Strict/);
  assert.equal(await river.locator("a").getAttribute("href"), "https://example.org/licence");
  await river.locator("button:has-text('Fetch')").click();
  await river.locator("text=licence to accept: Strict").waitFor();
  assert.equal(hub.ranges.length, 0);
  await accessible(page, "a licence is asked for");
  await river.locator("button:has-text('Accept and fetch')").click();
  await river.locator("progress").waitFor();
  await until(async () => (await river.locator("progress").getAttribute("value")) > 5_000_000, "it comes");
  await accessible(page, "a download");
  await river.locator("button:has-text('Cancel')").click();
  await river.locator("text=What has arrived is kept.").waitFor();
  assert.equal(await page.locator(".notice.error").count(), 0);
  delete hub.files.get("org/m/model.gguf").stallFrom;
  await river.locator("button:has-text('Fetch')").click();
  await page.click(".notice:has-text('river:135m is here') button:has-text('Use it')", { timeout: 60_000 });
  assert.match(hub.ranges.at(-1), /^bytes=\d{7,}-$/);
  await river.locator("button:has-text('Chosen')").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.textContent(".model-button span"), "river:135m");
  await ask(page, "Say yes.");
  assert.ok((await lastAnswer(page)).length > 0);
  assert.equal(await page.locator(".message.assistant h2").textContent(), "river:135m");
  await page.reload();
  await page.waitForSelector(".model-button:has-text('river:135m')");
  assert.deepEqual(page.problems, []);
});

test("why a model cannot be fetched is said in words, in the user's language", async () => {
  const page = await openModels();
  const fails = async (name, words) => {
    await rowOf(page, name).locator("button:has-text('Fetch')").click();
    const said = await until(async () => {
      const bad = rowOf(page, name).locator(".note.bad");
      return (await bad.count()) > 0 && (await bad.innerText()).includes(words) && bad.innerText();
    }, `${name}: ${words}`).catch(async (error) => { throw new Error(`${error.message}; instead: ${await page.locator(".dialog").innerText()}`); });
    assert.ok(said.startsWith(words));
    await page.waitForSelector(`.notice.error:has-text('${name}: ${words}')`);
    assert.ok(await rowOf(page, name).locator("button:has-text('Fetch')").isVisible());
  };
  await fails("damaged:1m", "The file is not what its makers announced");
  await fails("huge:1t", "There is no room on the disk");
  await fails("gone:1m", "It could not be fetched");
  await accessible(page, "failed downloads");
  await page.reload();
  await page.click(".model-button");
  await rowOf(page, "huge:1t").locator(".note.bad:has-text('no room')").waitFor();
  const german = await openModels({ locale: "de-DE" });
  await rowOf(german, "huge:1t").locator(".note.bad:has-text('kein Platz')").waitFor();
  // What failed may come the next time.
  hub.files.get("org/m/damaged.gguf").damaged = false;
  await rowOf(page, "damaged:1m").locator("button:has-text('Fetch')").click();
  await rowOf(page, "damaged:1m").locator("button:has-text('Choose')").waitFor();
  await hub.stop();
  await fails("huge:1t", "The network failed");
  assert.deepEqual(page.problems, []);
});
