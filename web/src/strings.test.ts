import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { de } from "./strings_de";
import { en } from "./strings_en";

const kSource = process.env.RIVAL_WEB_SOURCE!;
const sources = readdirSync(kSource).filter((n) => /\.tsx?$/.test(n) && !n.includes(".test.") && !n.startsWith("strings_"));

test("both tables hold the same keys, and no empty words", () => {
  assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
  for (const table of [en, de]) for (const [key, words] of Object.entries(table)) assert.notEqual(words.trim(), "", key);
});

test("both languages use the same values and forms", () => {
  const shape = (words: string) => [[...new Set(words.match(/\{\w+\}/g) ?? [])].sort(), words.split("|").length];
  for (const key of Object.keys(en) as (keyof typeof en)[]) assert.deepEqual(shape(de[key]), shape(en[key]), key);
});

test("every key is used", () => {
  const all = sources.map((n) => readFileSync(join(kSource, n), "utf8")).join("\n");
  const unused = Object.keys(en).filter((key) => !all.includes(`"${key}"`));
  assert.deepEqual(unused, []);
});

// The name of the program and letters that are no words.
const kAllowed = new Set(["Rival", "⏎"]);

test("no words outside of the tables", () => {
  const found: string[] = [];
  for (const name of sources.filter((n) => n.endsWith(".tsx"))) {
    const text = readFileSync(join(kSource, name), "utf8").replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, "");
    for (const [, words] of text.matchAll(/\b(?:aria-label|title|placeholder|alt|label)="([^"]+)"/g)) found.push(`${name}: ${words}`);
    for (const [, words] of text.matchAll(/<\w[^<>]*>([^<>{}();=]*\p{L}{2}[^<>{}();=]*)<\//gu)) if (!kAllowed.has(words.trim())) found.push(`${name}: ${words}`);
    for (const [, words] of text.matchAll(/\bnotify\("([^"]+)"|\bannounce\("([^"]+)"/g)) found.push(`${name}: ${words}`);
  }
  assert.deepEqual(found, []);
});
