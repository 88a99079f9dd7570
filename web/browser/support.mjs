// What the browser tests share: the real server with the small model, and Chromium.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const kChromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const kAxe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const kStartMs = 120_000;

/** `rival serve` with a database of its own. `port` 0: any free one. */
export class Server {
  environment = {};

  static async start(...more) {
    return Server.startIn({}, ...more);
  }

  static async startIn(environment, ...more) {
    const server = new Server();
    server.environment = environment;
    server.folder = mkdtempSync(join(tmpdir(), "rival-page-"));
    server.port = 0;
    server.more = more;
    await server.run();
    return server;
  }

  async run() {
    this.process = spawn(process.env.RIVAL, ["serve", "--port", String(this.port), "--database", join(this.folder, "serve.db"), "--context", "2048", ...this.more],
      { stdio: ["ignore", "pipe", process.env.RIVAL_VERBOSE ? "inherit" : "ignore"], env: { ...process.env, ...this.environment } });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    let said = "";
    this.url = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server did not start: ${said}`)), kStartMs);
      this.process.once("exit", () => reject(new Error(`the server ended: ${said}`)));
      this.process.stdout.on("data", (data) => {
        said += data;
        const found = /http:\/\/[\d.]+:(\d+)/.exec(said);
        if (!found) return;
        clearTimeout(timer);
        this.port = Number(found[1]);
        resolve(`http://127.0.0.1:${this.port}`);
      });
    });
  }

  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async call(method, path, body, headers = {}) {
    const response = await fetch(this.url + path, {
      method, headers: { "X-Rival": "1", ...(body ? { "Content-Type": "application/json" } : {}), ...headers }, body: body ? JSON.stringify(body) : undefined });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${response.ok ? "" : await response.text()}`);
    return response.json();
  }

  /** Chats in the own format; the ids that they got. */
  async import(...chats) {
    return (await this.call("POST", "/ui/api/import", { format: "rival-chats", version: 1, chats })).ids;
  }
}

/** A chat of the own format, a user's message and an answer in turn. */
export function chatOf(title, texts) {
  const messages = texts.map((text, i) => ({ id: i + 1, parent: i || null, role: i % 2 ? "assistant" : "user", text, state: "done", model: "smollm2:135m", created: 1 + i }));
  return { id: Math.random().toString(16).slice(2).padEnd(16, "0").slice(0, 16), title, created: 1, updated: 1, leaf: messages.length, messages };
}

/** The file of the small model. */
export function smallModelFile() {
  const shown = spawnSync(process.env.RIVAL, ["inspect", "smollm2:135m"], { encoding: "utf8" });
  const file = /(\/\S.*\.gguf)/.exec(shown.stdout + shown.stderr)?.[1];
  assert.ok(file, "the file of the small model");
  return file;
}

let browser;

export async function openBrowser() {
  browser ??= await chromium.launch({ executablePath: kChromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

/** A page in a browser profile of its own; what went wrong in it is in page.problems. */
export async function openPage(server, { context, path = "/", ...options } = {}) {
  context ??= await (await openBrowser()).newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.problems.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith("data:") && !url.startsWith("blob:")) page.problems.push(`foreign: ${url}`);
  });
  await page.goto(server.url + path);
  await page.waitForSelector(".model-button span:not(:text-is('…'))");
  return page;
}

/** A context whose pages hear the events that the test gives to window.emit, in place of the server's. */
export async function contextThatEmits(options = {}) {
  const context = await (await openBrowser()).newContext(options);
  await context.addInitScript(() => {
    const original = window.fetch;
    window.fetch = (input, options) => {
      if (!String(input).includes("/ui/api/events")) return original(input, options);
      const body = new ReadableStream({ start(controller) {
        const encoder = new TextEncoder();
        let sequence = 9e15;
        window.emit = (event) => controller.enqueue(encoder.encode(`id: ${++sequence}\ndata: ${JSON.stringify(event)}\n\n`));
      } });
      return Promise.resolve(new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
    };
  });
  return context;
}

export const answered = (page) => page.waitForFunction(() => document.querySelector("button.send[type=submit]") && document.querySelector(".message:last-of-type .actions"), undefined, { timeout: 120_000 });

/** Sends and waits until the answer has begun. */
export async function send(page, text) {
  await page.fill("#composer-text", text);
  await page.keyboard.press("Enter");
  await page.waitForSelector("button.send[type=button]");
}

export async function ask(page, text) {
  await page.fill("#composer-text", text);
  const before = await page.locator("article").count();
  await page.keyboard.press("Enter");
  await page.waitForFunction((n) => document.querySelectorAll("article").length >= n + 2, before);
  await answered(page);
}

export const lastAnswer = (page) => page.locator(".message.assistant").last().locator(".markdown").last().innerText();

export async function accessible(page, what) {
  const found = await page.evaluate(async (source) => {
    if (!window.axe) (0, eval)(source);
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  }, kAxe);
  assert.deepEqual(found, [], what);
}

/** Nothing of what was shown has run, and nothing of it stands on the page that could. */
export async function unharmed(page) {
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  const bad = await page.evaluate(() => [...document.querySelectorAll("#app script, #app iframe, #app object, #app form[action], #app style, #app base, #app link, #app [onerror], #app [onload], #app [onclick], #app [onmouseover], #app animate")].map((e) => e.outerHTML));
  assert.deepEqual(bad, []);
  const links = await page.evaluate(() => [...document.querySelectorAll(".markdown a[href]")].filter((a) => !/^(https?:|mailto:)/.test(a.href) || !a.rel.includes("noopener")).map((a) => a.outerHTML));
  assert.deepEqual(links, []);
  assert.equal(await page.locator("#app").count(), 1);
  assert.equal(await page.locator("#composer-text").count(), 1);
}

/** Waits until `check` gives something true. */
export async function until(check, what, ms = 30_000) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const value = await check();
    if (value) return value;
  }
  throw new Error(`it did not come about: ${what}`);
}
