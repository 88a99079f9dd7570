// Anthropic's own client for Node against the server that RIVAL_URL names.
import assert from "node:assert/strict";
import test from "node:test";

import Anthropic from "@anthropic-ai/sdk";

import { CHAT, CITY, LONG, URL, USER, waitIdle } from "./support.mjs";

const client = new Anthropic({ baseURL: URL, apiKey: "none", maxRetries: 0 });
const greedy = { model: CHAT, messages: [USER], max_tokens: 12, temperature: 0 };

test("a stream says what the whole message says", async () => {
  const whole = await client.messages.create(greedy);
  const final = await client.messages.stream(greedy).finalMessage();
  assert.deepEqual(final.content, whole.content);
  assert.equal(final.stop_reason, whole.stop_reason);
  assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
});

test("a tool is called with arguments of its schema", async () => {
  const tools = [{ name: "weather", description: "The weather in a city.", input_schema: CITY }];
  const stream = client.messages.stream({ ...greedy, max_tokens: 100, tools, tool_choice: { type: "any", disable_parallel_tool_use: true } });
  const message = await stream.finalMessage();
  assert.equal(message.stop_reason, "tool_use");
  assert.ok(["Paris", "Rome"].includes(message.content.at(-1).input.city));
});

test("counting and models", async () => {
  assert.ok((await client.messages.countTokens({ model: CHAT, messages: [USER] })).input_tokens > 10);
  assert.equal((await client.models.retrieve(CHAT)).id, CHAT);
});

test("errors have their classes", async () => {
  await assert.rejects(client.messages.create({ ...greedy, model: "no-such-model" }), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({ ...greedy, messages: [] }), Anthropic.BadRequestError);
});

test("a stream that is given up ends the answer", async () => {
  const stream = client.messages.stream({ ...greedy, messages: [LONG], max_tokens: 1500 });
  for await (const _ of stream) break;
  stream.abort();
  assert.ok(await waitIdle());
});
