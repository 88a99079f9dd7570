import assert from "node:assert/strict";
import { test } from "node:test";
import { SseParser, type SseEvent } from "./sse";

const kStream = ": hello\r\nid: 7\ndata: {\"a\":1}\n\nevent: x\rdata: one\rdata:two\r\rdata\n\nignored\nretry: 5\n\nid: 8\ndata:  spaced\r\n\r\n";
const kExpected: SseEvent[] = [
  { id: "7", type: "message", data: '{"a":1}' },
  { id: "7", type: "x", data: "one\ntwo" },
  { id: "7", type: "message", data: "" },
  { id: "8", type: "message", data: " spaced" },
];

test("events in one piece", () => {
  assert.deepEqual(new SseParser().push(kStream), kExpected);
});

test("events cut at every place read the same", () => {
  for (let cut = 0; cut <= kStream.length; ++cut) {
    const parser = new SseParser();
    assert.deepEqual([...parser.push(kStream.slice(0, cut)), ...parser.push(kStream.slice(cut))], kExpected, `cut at ${cut}`);
  }
});

test("letter by letter", () => {
  const parser = new SseParser();
  assert.deepEqual([...kStream].flatMap((c) => parser.push(c)), kExpected);
});

test("an event without its empty line has not come yet", () => {
  assert.deepEqual(new SseParser().push("data: x\n"), []);
});
