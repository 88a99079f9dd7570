// OpenAI's own client for Node against the server that RIVAL_URL names.
import assert from "node:assert/strict";
import test from "node:test";

import OpenAI from "openai";

import { CHAT, CITY, EMBED, LONG, URL, USER, waitIdle } from "./support.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: "none", maxRetries: 0 });
const greedy = { model: CHAT, messages: [USER], max_tokens: 12, temperature: 0 };

test("a stream says what the whole answer says", async () => {
  const whole = await client.chat.completions.create(greedy);
  let text = "", usage;
  for await (const chunk of await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } })) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test("structured output", async () => {
  const response_format = { type: "json_schema", json_schema: { name: "city", schema: CITY, strict: true } };
  const answer = await client.chat.completions.parse({ ...greedy, max_tokens: 100, response_format });
  assert.ok(["Paris", "Rome"].includes(answer.choices[0].message.parsed.city));
});

test("a tool is called with arguments of its schema", async () => {
  const tools = [{ type: "function", function: { name: "weather", description: "The weather in a city.", parameters: CITY } }];
  const answer = await client.chat.completions.create({ ...greedy, max_tokens: 100, tools, tool_choice: "required", parallel_tool_calls: false });
  const call = answer.choices[0].message.tool_calls[0].function;
  assert.equal(call.name, "weather");
  assert.ok(["Paris", "Rome"].includes(JSON.parse(call.arguments).city));
});

test("models and embeddings", async () => {
  assert.equal((await client.models.retrieve(CHAT)).id, CHAT);
  const answer = await client.embeddings.create({ model: EMBED, input: ["a cat", "tax law"] });
  assert.deepEqual(answer.data.map((d) => d.embedding.length), [384, 384]);
});

test("errors have their classes", async () => {
  await assert.rejects(client.chat.completions.create({ ...greedy, model: "no-such-model" }), OpenAI.NotFoundError);
  await assert.rejects(client.chat.completions.create({ ...greedy, temperature: 9 }), (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature");
});

test("a stream that is given up ends the answer", async () => {
  const stream = await client.chat.completions.create({ ...greedy, messages: [LONG], max_tokens: 1500, ignore_eos: true, stream: true });
  for await (const _ of stream) break;
  assert.ok(await waitIdle());
});
