import assert from "node:assert/strict";
import { test } from "node:test";
import { importParts } from "./import";

const chats = Array.from({ length: 20 }, (_, i) => ({ title: `chat ${i}`, text: "x".repeat(100) }));

test("a short file goes as it is, even when it is no JSON", () => {
  assert.deepEqual(importParts("no json"), ["no json"]);
});

test("a long array goes in parts that together hold all", () => {
  const parts = importParts(JSON.stringify(chats), 500);
  assert.ok(parts.length > 3 && parts.every((p) => p.length <= 700));
  assert.deepEqual(parts.flatMap((p) => JSON.parse(p)), chats);
});

test("our own format keeps its head in each part", () => {
  const parts = importParts(JSON.stringify({ format: "rival-chats", version: 1, chats }), 500).map((p) => JSON.parse(p));
  assert.ok(parts.length > 3 && parts.every((p) => p.format === "rival-chats" && p.version === 1));
  assert.deepEqual(parts.flatMap((p) => p.chats), chats);
});

test("a conversation longer than a part goes alone; a long file of another shape is sent whole", () => {
  assert.equal(importParts(JSON.stringify([chats[0], chats[1]]), 50).length, 2);
  assert.equal(importParts(JSON.stringify({ a: "x".repeat(200) }), 50).length, 1);
  assert.throws(() => importParts("x".repeat(100), 50), SyntaxError);
});
