import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockSplitter, splitBlocks } from "./blocks";

const trimmed = (text: string) => splitBlocks(text).map((b) => b.trimEnd());

test("paragraphs, headings and rules are blocks of their own", () => {
  assert.deepEqual(trimmed("# A\ntext\nmore\n\nnext\n\n---\nend\n"), ["# A", "text\nmore", "next", "---", "end"]);
});

test("a fence holds empty lines and marks", () => {
  const code = "```py\na = 1\n\n# no heading\n- no list\n```";
  assert.deepEqual(trimmed(`before\n${code}\nafter`), ["before", code, "after"]);
});

test("a fence is closed by a mark at least as long of the same kind", () => {
  const code = "````\n```\n~~~~\n````";
  assert.deepEqual(trimmed(`${code}\nx`), [code, "x"]);
});

test("a fence inside a list belongs to it", () => {
  const list = "1. one\n\n   ```js\n   x\n\n   y\n   ```\n2. two";
  assert.deepEqual(trimmed(`${list}\n\nafter\n`), [list, "after"]);
});

test("a list goes on over empty lines", () => {
  assert.deepEqual(trimmed("- a\n\n- b\n\n  more\n\nend\n"), ["- a\n\n- b\n\n  more", "end"]);
});

test("a list after a paragraph is a block of its own", () => {
  assert.deepEqual(trimmed("intro:\n- a\n- b\n"), ["intro:", "- a\n- b"]);
});

test("the underline of a heading stays with it", () => {
  assert.deepEqual(trimmed("Title\n---\ntext"), ["Title\n---", "text"]);
});

test("formulas over several lines hold together", () => {
  assert.deepEqual(trimmed("so\n$$\na\n\nb\n$$\nthen\n\n\\[\nx\n\\]\n"), ["so", "$$\na\n\nb\n$$", "then", "\\[\nx\n\\]"]);
});

test("indented code goes on over empty lines", () => {
  assert.deepEqual(trimmed("    a\n\n    b\n\nc\n"), ["    a\n\n    b", "c"]);
});

test("blocks are the same however the text is cut", () => {
  const text = "# T\nintro\n\n- a\n\n  ```\n  x\n\n  ```\n- b\n\n```js\nlet a;\n\n```\n| a | b |\n|---|---|\n| 1 | 2 |\n\n$$\nx\n$$\n> q\n\nend";
  const whole = splitBlocks(text);
  for (const size of [1, 2, 3, 7, 50]) {
    const splitter = new BlockSplitter();
    for (let i = 0; i < text.length; i += size) splitter.push(text.slice(i, i + size));
    assert.deepEqual([...splitter.closed, splitter.open], whole, `pieces of ${size}`);
  }
});

test("closed blocks never change", () => {
  const text = "a\n\n- b\n- c\n\nd\n```\ne\n```\nf\n";
  const splitter = new BlockSplitter();
  let seen: string[] = [];
  for (const letter of text) {
    splitter.push(letter);
    assert.deepEqual(splitter.closed.slice(0, seen.length), seen);
    seen = [...splitter.closed];
  }
});

test("nothing but line ends is lost", () => {
  const text = "a\n\n\n\nb\n- c\n\n\nd\n```\n\n```\n";
  assert.equal(splitBlocks(text).join("").replace(/\n+/g, ""), text.replace(/\n+/g, ""));
});

test("long paragraphs and lists are cut, so that drawing stays quick", () => {
  const line = "word ".repeat(30) + "\n";
  assert.ok(splitBlocks(line.repeat(700)).every((b) => b.length < 9_000));
  assert.ok(splitBlocks(("- " + line).repeat(700)).every((b) => b.length < 5_000));
});

test("the splitter tells what stands open", () => {
  const splitter = new BlockSplitter();
  splitter.push("```js\nx\n");
  assert.equal(splitter.inside, "fence");
  splitter.push("```\n$$\nx");
  assert.equal(splitter.inside, "math");
  splitter.push("\n$$\n");
  assert.equal(splitter.inside, null);
});
