import assert from "node:assert/strict";
import { test } from "node:test";
import { kToolsExample, readTools } from "./tools";

const problem = (value: unknown) => readTools(typeof value === "string" ? value : JSON.stringify(value)).problem?.key;

test("OpenAI's list, one tool alone and other APIs' functions become OpenAI's list", () => {
  assert.deepEqual(readTools(""), { tools: [], problem: null });
  assert.deepEqual(readTools(" [] "), { tools: [], problem: null });
  assert.deepEqual(readTools(JSON.stringify(kToolsExample)).tools, kToolsExample);
  assert.deepEqual(readTools(JSON.stringify(kToolsExample[0])).tools, kToolsExample);
  const { parameters, ...rest } = kToolsExample[0].function;
  assert.deepEqual(readTools(JSON.stringify([{ ...rest, input_schema: parameters }])).tools, kToolsExample);
  assert.deepEqual(readTools('{"type": "function", "name": "now"}').tools, [{ type: "function", function: { name: "now" } }]);
});

test("what cannot be read is said", () => {
  assert.equal(problem("[{"), "tools_no_json");
  assert.equal(problem([7]), "tools_no_function");
  assert.equal(problem(null), "tools_no_function");
  assert.equal(problem([[]]), "tools_no_function");
  for (const name of [undefined, "", "two words", "x".repeat(65), 5, "naïve"]) assert.equal(problem([{ function: { name } }]), "tools_no_name");
  assert.equal(problem([{ name: "a", parameters: [] }]), "tools_no_parameters");
  assert.equal(problem([{ name: "a" }, { name: "a" }]), "tools_twice");
});
