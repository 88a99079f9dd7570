import assert from "node:assert/strict";
import { test } from "node:test";
import { heal } from "./heal";

const kCases: [string, string][] = [
  ["plain text", "plain text"],
  ["a **bold", "a **bold**"],
  ["a **bold wor ", "a **bold wor**"],
  ["a **bold** b", "a **bold** b"],
  ["an *idea", "an *idea*"],
  ["**both *inner", "**both *inner***"],
  ["~~gone", "~~gone~~"],
  ["`code", "`code`"],
  ["``co`de", "``co`de``"],
  ["2 * 3 * 4", "2 * 3 * 4"],
  ["snake_case_name", "snake_case_name"],
  ["see [the page](https://exa", "see the page"],
  ["see [the pa", "see the pa"],
  ["see ![picture](http", "see "],
  ["text\n#", "text\n"],
  ["text\n- ", "text\n"],
  ["| a | b |", "| a | b |\n| --- | --- |"],
  ["| a | b |\n|--", "| a | b |\n| --- | --- |"],
  ["escaped \\*star", "escaped \\*star"],
  ["a **b", "a **b**"],
  ["a **bold*", "a **bold**"],
];

for (const [given, expected] of kCases) test(`half-written: ${JSON.stringify(given)}`, () => assert.equal(heal(given), expected));
