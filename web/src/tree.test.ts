import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageTree, applyDelta, openCalls } from "./tree";
import type { Message } from "./types";

const message = (id: number, parent: number | null, more: Partial<Message> = {}): Message => ({ id, parent, role: "user", text: `m${id}`, ...more });

test("a branch is the way from the root to a leaf", () => {
  const tree = new MessageTree([message(1, null), message(2, 1), message(3, 2), message(4, 1), message(5, 4)]);
  assert.deepEqual(tree.path(5).map((m) => m.id), [1, 4, 5]);
  assert.deepEqual(tree.path(null), []);
  assert.equal(tree.leafBelow(1), 5);
  assert.equal(tree.newestLeaf(), 5);
});

test("siblings stand in the order of their ids, however they come in", () => {
  const tree = new MessageTree([message(1, null), message(7, 1), message(3, 1), message(5, 1)]);
  assert.deepEqual(tree.siblings(tree.get(5)!).map((m) => m.id), [3, 5, 7]);
});

test("an arrow leads to the neighbour's newest end, and nowhere at the edge", () => {
  const tree = new MessageTree([message(1, null), message(2, 1), message(3, 2), message(4, 1), message(5, 4), message(6, 4)]);
  assert.equal(tree.neighbourLeaf(tree.get(2)!, 1), 6);
  assert.equal(tree.neighbourLeaf(tree.get(4)!, -1), 3);
  assert.equal(tree.neighbourLeaf(tree.get(4)!, 1), null);
});

test("first messages are siblings too", () => {
  const tree = new MessageTree([message(1, null), message(2, 1), message(3, null)]);
  assert.equal(tree.neighbourLeaf(tree.get(1)!, 1), 3);
  assert.equal(tree.newestLeaf(), 3);
});

test("a newer state takes the place of the old one", () => {
  const tree = new MessageTree([message(1, null)]);
  tree.put(message(1, null, { text: "new" }));
  assert.equal(tree.size, 1);
  assert.equal(tree.get(1)!.text, "new");
  assert.equal(tree.children(null).length, 1);
});

test("parents in a circle end the way instead of turning in it", () => {
  const tree = new MessageTree([message(1, 2), message(2, 1), message(3, 3)]);
  assert.equal(tree.path(1).length, 2);
  assert.equal(tree.path(3).length, 1);
  assert.equal(tree.leafBelow(3), 3);
  assert.equal(typeof tree.leafBelow(1), "number");
});

test("answers of one group are companions; others stand alone", () => {
  const tree = new MessageTree([message(1, null), message(2, 1, { group: "g" }), message(3, 1, { group: "g" }), message(4, 1)]);
  assert.deepEqual(tree.companions(tree.get(2)!).map((m) => m.id), [2, 3]);
  assert.deepEqual(tree.companions(tree.get(4)!).map((m) => m.id), [4]);
});

const delta = (more: object) => ({ type: "delta" as const, chat: "c", message: 1, ...more });

test("deltas append; what is known already is skipped", () => {
  const m = message(1, null, { text: "" });
  assert.ok(applyDelta(m, delta({ text: "Hello", at: 0 })));
  assert.ok(applyDelta(m, delta({ text: " world", at: 5 })));
  assert.ok(applyDelta(m, delta({ text: "Hello", at: 0 })));
  assert.ok(applyDelta(m, delta({ text: "world!", at: 6 })));
  assert.equal(m.text, "Hello world!");
});

test("a gap is told, and nothing is changed", () => {
  const m = message(1, null, { text: "abc" });
  assert.equal(applyDelta(m, delta({ text: "x", at: 4 })), false);
  assert.equal(applyDelta(m, delta({ text: "d", at: 3, reasoning: "r", reasoning_at: 2 })), false);
  assert.equal(m.text, "abc");
});

test("lengths are UTF-16 code units", () => {
  const m = message(1, null, { text: "🙂" });
  assert.ok(applyDelta(m, delta({ text: "!", at: 2 })));
  assert.equal(m.text, "🙂!");
});

test("reasoning grows beside the text; tool calls are replaced whole", () => {
  const m = message(1, null, { text: "" });
  applyDelta(m, delta({ reasoning: "hm", reasoning_at: 0 }));
  applyDelta(m, delta({ tool_calls: [{ id: "a", name: "f", arguments: "{" }] }));
  applyDelta(m, delta({ tool_calls: [{ id: "a", name: "f", arguments: "{}" }] }));
  assert.equal(m.reasoning, "hm");
  assert.equal(m.tool_calls![0].arguments, "{}");
});

const called = (id: number, parent: number, ...ids: string[]) => message(id, parent, { role: "assistant", state: "done", tool_calls: ids.map((call) => ({ id: call, name: `f_${call}`, arguments: "{}" })) });
const result = (id: number, parent: number, call: string) => message(id, parent, { role: "tool", tool_call_id: call });

test("calls at the end of a branch stay open until each has its result", () => {
  const tree = new MessageTree([message(1, null), called(2, 1, "a", "b"), result(3, 2, "b"), result(4, 3, "a"), message(5, 4, { role: "assistant" })]);
  const open = (leaf: number) => openCalls(tree.path(leaf)).map((call) => call.id);
  assert.deepEqual([open(1), open(2), open(3), open(4), open(5)], [[], ["a", "b"], ["a"], [], []]);
  tree.put({ ...tree.get(2)!, state: "running" });
  assert.deepEqual(open(2), []);
  assert.deepEqual(openCalls([]), []);
  assert.deepEqual(openCalls([result(1, 0, "a")]), []);
});

test("a result knows the call that it answers", () => {
  const tree = new MessageTree([called(2, 1, "a", "b"), result(3, 2, "b"), result(4, 3, "a"), result(9, 8, "a")]);
  assert.equal(tree.callOf(tree.get(4)!)?.name, "f_a");
  assert.equal(tree.callOf(tree.get(3)!)?.name, "f_b");
  assert.equal(tree.callOf(tree.get(9)!), undefined);
});
