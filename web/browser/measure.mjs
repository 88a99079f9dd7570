// Measures the page once and prints the times as JSON, for bench/page: RIVAL=path/to/rival node browser/measure.mjs [quick]
import { kDesk, kShapes, longChat, pageThatHears, streamAnswer } from "./long_texts.mjs";
import { Server, answered, closeBrowser, openBrowser, openPage, send } from "./support.mjs";

const kQuick = process.argv[2] === "quick";
const kScrolls = kQuick ? 30 : 240;

const watchTasks = (page) => page.addInitScript(() => {
  window.blocked = [];
  new PerformanceObserver((list) => window.blocked.push(...list.getEntries().map((e) => e.duration))).observe({ entryTypes: ["longtask"] });
});

async function firstPage(server) {
  const page = await openPage(server);
  const times = [];
  for (let i = 0; i < (kQuick ? 1 : 5); ++i) {
    await page.reload();
    await page.waitForSelector("#composer-text");
    times.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd));
  }
  const bytes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((e) => !new URL(e.name).pathname.startsWith("/ui/")).reduce((n, e) => n + e.encodedBodySize, 0));
  await page.context().close();
  return { first_page_bytes: bytes, interactive_ms: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] };
}

async function longHistory(server, id) {
  const context = await (await openBrowser()).newContext(kDesk);
  const page = await openPage(server, { context });
  await watchTasks(page);
  await page.reload();
  await page.waitForSelector(`a[href='/chat/${id}']`);
  const open_ms = await page.evaluate(async (id) => {
    const start = performance.now();
    document.querySelector(`a[href='/chat/${id}']`).click();
    while (document.querySelectorAll("article").length < 500) await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - start;
  }, id);
  await page.waitForTimeout(1000);
  const { frames, blocked } = await page.evaluate(async (count) => {
    window.blocked.length = 0;
    const s = document.querySelector("#scroller");
    const frames = [];
    for (let i = 0, last = performance.now(); i < count; ++i) {
      s.scrollTop -= 100;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      frames.push(performance.now() - last);
      last = performance.now();
    }
    return { frames: frames.sort((a, b) => a - b), blocked: window.blocked };
  }, kScrolls);
  await context.close();
  const median = frames[Math.floor(frames.length / 2)];
  return { open_ms, scroll_frame_ms: median, scroll_frame_p95_ms: frames[Math.floor(frames.length * 0.95)], scroll_frame_max_ms: frames.at(-1),
    dropped_frames: frames.filter((ms) => ms > 1.5 * median).length, scroll_task_ms: Math.max(0, ...blocked) };
}

/** The longest task while an answer streams; 0: none over 50 ms, below which the browser does not tell. */
async function stream(server, shape, text) {
  const { page, chat, context } = await pageThatHears(server, `Stream ${shape}`);
  await page.evaluate(() => {
    window.blocked = [];
    new PerformanceObserver((list) => window.blocked.push(...list.getEntries().map((e) => e.duration))).observe({ entryTypes: ["longtask"] });
  });
  await page.evaluate(streamAnswer, { chat, text, pause: 5 });
  await page.waitForTimeout(1500);
  const longest = await page.evaluate(() => Math.max(0, ...window.blocked));
  await context.close();
  return longest;
}

async function drawing(server) {
  const page = await openPage(server);
  await send(page, "Write a very long story about a river, a mill and two brothers.");
  await page.waitForSelector(".message.assistant .markdown p");
  const draw_ms = await page.evaluate(async () => {
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
  return { draw_ms, engine_tokens_per_s: Number(/([\d.,]+) tokens\/s/.exec(await page.textContent(".speed"))[1].replace(",", "")) };
}

const server = await Server.start();
const [id] = await server.import(longChat());
const times = { ...(await firstPage(server)), ...(await longHistory(server, id)), stream_task_ms: {} };
for (const [shape, text] of Object.entries(kShapes)) times.stream_task_ms[shape] = await stream(server, shape, kQuick ? text.slice(0, 5_000) : text);
Object.assign(times, await drawing(server));
console.log(JSON.stringify(times));
await closeBrowser();
await server.stop();
