import assert from "node:assert/strict";
import { cpus, loadavg } from "node:os";
import { after, before, test } from "node:test";
import { Server, answered, ask, chatOf, closeBrowser, contextThatEmits, lastAnswer, openBrowser, openPage, send, until } from "./support.mjs";

// The bars of the page, on a machine that does nothing else; on a busy one everything takes longer by its load.
const kSlack = Math.max(1, loadavg()[0] / cpus().length);
const kOpenMs = 500 * kSlack;
const kInteractiveMs = 300 * kSlack;
const kBlockMs = 50 * kSlack;

const kBlock = "Some text with **bold** words, `code` and a [link](https://example.org), long enough to wrap over lines. Some more of it.\n\n- one\n- two\n\n```js\nfor (let i = 0; i < 10; ++i) console.log(i);\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n";
const sized = (n) => kBlock.repeat(Math.ceil(n / kBlock.length)).slice(0, n);

let server, id;
before(async () => {
  server = await Server.start();
  [id] = await server.import(chatOf("Five hundred", Array.from({ length: 500 }, (_, i) => `${i} ${sized(2000)}`)));
});
after(async () => {
  await closeBrowser();
  await server.stop();
});

const watchTasks = (page) => page.addInitScript(() => {
  window.blocked = [];
  new PerformanceObserver((list) => window.blocked.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ entryTypes: ["longtask"] });
});

test("the page is interactive at once", async (t) => {
  const page = await openPage(server);
  const times = [];
  for (let i = 0; i < 5; ++i) {
    await page.reload();
    await page.waitForSelector("#composer-text");
    times.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd));
  }
  const best = Math.min(...times);
  t.diagnostic(`interactive after ${Math.round(best)} ms`);
  assert.ok(best < kInteractiveMs, `${best} ms`);
});

test("500 messages of 2 kB open in half a second and scroll without long tasks", async (t) => {
  const context = await (await openBrowser()).newContext({ viewport: { width: 1280, height: 800 } });
  const page = await openPage(server, { context });
  await watchTasks(page);
  await page.reload();
  await page.waitForSelector(`a[href='/chat/${id}']`);
  const opened = await page.evaluate(async (id) => {
    const start = performance.now();
    document.querySelector(`a[href='/chat/${id}']`).click();
    while (document.querySelectorAll("article").length < 500) await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - start;
  }, id);
  t.diagnostic(`500 messages: ${Math.round(opened)} ms`);
  assert.ok(opened < kOpenMs, `${opened} ms`);
  await page.waitForTimeout(1000);
  let best = Infinity;
  for (let i = 0; i < 3 && best > kBlockMs; ++i) {
    const { frames, blocked } = await page.evaluate(scrollUp, i % 2 === 0 ? -100 : 100);
    best = Math.min(best, Math.max(0, ...blocked));
    t.diagnostic(`scrolling: median frame ${frames[120].toFixed(1)} ms, 95 % ${frames[228].toFixed(1)} ms, longest ${frames[239].toFixed(1)} ms; long tasks: ${blocked.length ? blocked : "none"}`);
  }
  assert.ok(best <= kBlockMs, `${best} ms`);
});

async function scrollUp(step) {
  window.blocked.length = 0;
  const s = document.querySelector("#scroller");
  const frames = [];
  for (let i = 0, last = performance.now(); i < 240; ++i) {
    s.scrollTop += step;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return { frames: frames.sort((a, b) => a - b), blocked: [...window.blocked] };
}

const kShapes = {
  "of many blocks": sized(100_000),
  "in one paragraph": "A sentence with **some** marks and no end of a line. ".repeat(1900).slice(0, 100_000),
  "in one code block": "```cpp\n" + "int value = compute(a, b) + 42;  // a comment\n".repeat(2150).slice(0, 100_000),
  "in one list": "- an item of a list with `code` in it\n".repeat(2600).slice(0, 100_000),
};

async function streamOnce(shape, text) {
  const [chat] = await server.import(chatOf(`Stream ${shape}`, ["Go on", "Yes."]));
  const context = await contextThatEmits({ viewport: { width: 1280, height: 800 } });
  const page = await openPage(server, { context, path: `/chat/${chat}` });
  await page.waitForSelector(".message.assistant .markdown p");
  await until(() => page.evaluate(() => Boolean(window.emit)), "events");
  const blocked = await page.evaluate(async ({ chat, text }) => {
    const tasks = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ entryTypes: ["longtask"] });
    const message = 1_000_000;
    const parent = Number(document.querySelector(".message.assistant").id.split("-")[1]);
    const base = { id: message, chat, parent, role: "assistant", model: "m" };
    window.emit({ type: "message", message: { ...base, text: "", state: "running" } });
    for (let at = 0; at < text.length; at += 150) {
      window.emit({ type: "delta", chat, message, text: text.slice(at, at + 150), at });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    window.emit({ type: "message", message: { ...base, text, state: "done" } });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return tasks;
  }, { chat, text });
  const length = (await page.locator(".message:last-child .markdown").textContent()).length;
  await context.close();
  return { length, blocked };
}

for (const [shape, text] of Object.entries(kShapes))
  test(`100 kB ${shape} stream without blocking the page`, async (t) => {
    // Other work on the machine can only add to what is measured: the best of three counts.
    let best = Infinity;
    for (let i = 0; i < 3 && best > kBlockMs; ++i) {
      const { length, blocked } = await streamOnce(shape, text);
      assert.ok(length > 60_000, `${length} letters`);
      best = Math.min(best, Math.max(0, ...blocked));
      t.diagnostic(`${shape}: ${length} letters drawn; long tasks: ${blocked.length ? blocked : "none"}`);
    }
    assert.ok(best <= kBlockMs, `${best} ms`);
  });

test("drawing keeps up with the engine", async (t) => {
  const page = await openPage(server);
  await send(page, "Write a very long story about a river, a mill and two brothers.");
  await page.waitForSelector(".message.assistant .markdown p");
  const lag = await page.evaluate(async () => {
    const lags = [];
    const host = document.querySelector(".message.assistant .markdown");
    for (let i = 0; i < 60; ++i) {
      const before = host.textContent.length;
      const start = performance.now();
      while (host.textContent.length === before && performance.now() - start < 2000) await new Promise((resolve) => requestAnimationFrame(resolve));
      lags.push(performance.now() - start);
    }
    return lags.sort((a, b) => a - b)[30];
  });
  await page.keyboard.press("Escape");
  await answered(page);
  const speed = Number(/([\d.]+) tokens\/s/.exec(await page.textContent(".speed"))[1]);
  t.diagnostic(`new letters every ${lag.toFixed(1)} ms at ${speed} tokens/s`);
  assert.ok(lag < 2000 / speed + 40, `${lag} ms at ${speed} tokens/s`);
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
