// Tools as a user pastes them: OpenAI's list, one tool alone, or the bare functions of other APIs; kept in OpenAI's shape.
import type { Key } from "./i18n";
import type { Tool } from "./types";

const kName = /^[\w.:/-]{1,64}$/;

export interface ReadTools {
  tools: Tool[];
  problem: { key: Key; values?: Record<string, string | number> } | null;
}

export const kToolsExample: Tool[] = [{
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
  },
}];

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** Empty text: no tools. */
export function readTools(text: string): ReadTools {
  if (text.trim() === "") return { tools: [], problem: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { tools: [], problem: { key: "tools_no_json" } };
  }
  const tools: Tool[] = [];
  for (const [i, row] of (Array.isArray(value) ? value : [value]).entries()) {
    const read = readTool(row, i + 1);
    if ("problem" in read) return { tools: [], problem: read.problem };
    if (tools.some((tool) => tool.function.name === read.function.name)) return { tools: [], problem: { key: "tools_twice", values: { name: read.function.name } } };
    tools.push(read);
  }
  return { tools, problem: null };
}

function readTool(row: unknown, at: number): Tool | Pick<ReadTools, "problem"> {
  const given = isObject(row) && isObject(row.function) ? row.function : row;
  if (!isObject(given)) return { problem: { key: "tools_no_function", values: { at } } };
  const { name, description } = given;
  const parameters = given.parameters ?? given.input_schema;
  if (typeof name !== "string" || !kName.test(name)) return { problem: { key: "tools_no_name", values: { at } } };
  if (parameters !== undefined && !isObject(parameters)) return { problem: { key: "tools_no_parameters", values: { name } } };
  return { type: "function", function: { name, ...(typeof description === "string" ? { description } : {}), ...(parameters ? { parameters } : {}) } };
}
