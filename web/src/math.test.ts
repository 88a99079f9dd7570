import assert from "node:assert/strict";
import { test } from "node:test";
import { braceDepth } from "./math";

test("how deep a formula is, whatever its braces do", () => {
  for (const [tex, depth] of [["", 0], ["x", 0], ["{a}{b}", 1], ["\\frac{1}{\\sqrt{2}}", 2], ["\\{\\{", 0], ["}}}{{", 0], ["{".repeat(99), 99], ["\\", 0]] as const) assert.equal(braceDepth(tex), depth, tex);
});
