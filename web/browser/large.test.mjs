// How much the page does for long chats and long answers. How long that takes is measured by bench/page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { kDesk, kShapes, longChat, pageThatHears, streamAnswer } from "./long_texts.mjs";
import { Server, closeBrowser, openPage, until } from "./support.mjs";

let server, id;
before(async () => {
  server = await Server.start();
  [id] = await server.import(longChat());
});
after(async () => {
  await closeBrowser();
  await server.stop();
});

test("the first page is at most 100 kB and fetches nothing else before it is used", async () => {
  const page = await openPage(server);
  await page.reload();
  await page.waitForSelector(".empty");
  const files = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map((e) => ({ name: new URL(e.name).pathname, bytes: e.encodedBodySize })).filter(({ name }) => !name.startsWith("/ui/")));
  const sum = files.reduce((n, file) => n + file.bytes, 0);
  assert.ok(sum > 30_000 && sum <= 100_000, `${sum} bytes`);
  assert.deepEqual(files.filter(({ name }) => /katex|highlight/.test(name)), []);
});

test("of 500 messages those near the window are drawn, the others when they come near", async () => {
  const page = await openPage(server, { ...kDesk, path: `/chat/${id}` });
  await until(async () => (await page.locator("article").count()) === 500, "all are there");
  await until(async () => (await page.locator("article:not(.far)").count()) >= 6, "the last are drawn");
  const drawn = () => page.evaluate(() => ({ near: document.querySelectorAll("article:not(.far)").length, nodes: document.querySelectorAll("#scroller *").length }));
  const first = await drawn();
  assert.ok(first.near <= 12, `${first.near} of 500 are drawn`);
  assert.ok(first.nodes < 6_000, `${first.nodes} elements`);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("article")).contentVisibility), "auto");
  await page.evaluate(() => { document.querySelector("#scroller").scrollTop = 0; });
  await page.waitForSelector("article:first-child .bubble");
  await until(async () => (await page.locator("article:nth-child(2) .markdown table").count()) > 0, "the first answer is drawn");
  const then = await drawn();
  assert.ok(then.near <= first.near + 30, `${then.near} of 500 are drawn`);
});

test("many pieces within a frame are drawn once", async () => {
  const { page, chat, context } = await pageThatHears(server, "Frames");
  const most = await page.evaluate(async (chat) => {
    const message = 1_000_000;
    const parent = Number(document.querySelector(".message.assistant").id.split("-")[1]);
    window.emit({ type: "message", message: { id: message, chat, parent, role: "assistant", model: "m", text: "", state: "running" } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const host = document.querySelector(".message:last-child .markdown");
    let draws = 0, most = 0, at = 0;
    new MutationObserver(() => { draws += 1; }).observe(host, { childList: true, characterData: true, subtree: true });
    for (let frame = 0; frame < 60; ++frame) {
      draws = 0;
      for (let i = 0; i < 20; ++i) {
        window.emit({ type: "delta", chat, message, text: "word ", at });
        at += 5;
        await Promise.resolve();
      }
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      most = Math.max(most, draws);
    }
    return most;
  }, chat);
  // The frame's own drawing, and at most one that the frame before had asked for.
  assert.ok(most >= 1 && most <= 2, `${most} drawings within a frame`);
  await context.close();
});

for (const [shape, text] of Object.entries(kShapes))
  test(`an answer of 100 kB ${shape} costs what is new of it`, async () => {
    const { page, chat, context } = await pageThatHears(server, `Stream ${shape}`);
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable");
    const metric = async (name) => (await session.send("Performance.getMetrics")).metrics.find((m) => m.name === name).value;
    await page.evaluate(() => {
      window.counted = { added: 0, removed: 0, frames: 0, kept: true };
      const count = (nodes) => [...nodes].reduce((n, node) => n + 1 + (node.querySelectorAll?.("*").length ?? 0), 0);
      new MutationObserver((records) => {
        for (const { target, addedNodes, removedNodes } of records) {
          if (!target.parentElement?.closest(".message:last-child")) continue;
          window.counted.added += count(addedNodes);
          window.counted.removed += count(removedNodes);
        }
      }).observe(document.querySelector("#scroller"), { childList: true, subtree: true });
      const frame = () => {
        window.counted.frames += 1;
        const block = document.querySelector(".message:last-child .block:not(.open)");
        window.firstBlock ??= block;
        if (window.firstBlock && !window.firstBlock.isConnected) window.counted.kept = false;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    const layouts = await metric("LayoutCount");
    await page.evaluate(streamAnswer, { chat, text, pause: "frame" });
    await page.waitForSelector(".message:last-child .actions");
    const { counted, nodes, letters } = await page.evaluate(() => ({ counted: window.counted, nodes: document.querySelectorAll(".message:last-child .markdown *").length, letters: document.querySelector(".message:last-child .markdown").textContent.length }));
    assert.ok(letters > 60_000, `${letters} letters`);
    assert.ok(counted.added < 6 * nodes + 2_000, `${counted.added} nodes were made for ${nodes}`);
    // One layout a frame and one for following the end; a reading of sizes between changes would make more.
    assert.ok((await metric("LayoutCount")) - layouts <= 3 * counted.frames + 20, `${(await metric("LayoutCount")) - layouts} layouts in ${counted.frames} frames`);
    assert.ok(counted.kept, "a finished block was drawn again while the answer grew");
    await context.close();
  });
