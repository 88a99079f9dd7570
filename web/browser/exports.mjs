// Files as other programs export them, written by hand after their formats.

let last = 0;
const uuid = () => `00000000-0000-4000-8000-${String(++last).padStart(12, "0")}`;

class ChatGpt {
  mapping = {};

  constructor(title) {
    this.title = title;
    this.root = this.node(null, null);
  }

  node(parent, message) {
    const id = uuid();
    this.mapping[id] = { id, message: message && { id, create_time: 1_700_000_000 + last, update_time: null, status: "finished_successfully", end_turn: true, weight: 1, recipient: "all", channel: null, metadata: {}, ...message }, parent, children: [] };
    if (parent) this.mapping[parent].children.push(id);
    return id;
  }

  say(parent, role, text, more = {}) {
    return this.node(parent, { author: { role, name: null, metadata: {} }, content: { content_type: "text", parts: [text] }, ...more });
  }

  conversation(current) {
    return { title: this.title, create_time: 1_700_000_000.25, update_time: 1_700_000_500.75, mapping: this.mapping, moderation_results: [], current_node: current, plugin_ids: null,
      conversation_id: uuid(), conversation_template_id: null, gizmo_id: null, is_archived: false, safe_urls: [], default_model_slug: "gpt-x", id: uuid() };
  }
}

/** conversations.json: branches, a hidden system message, thoughts, code that was run with its output, files, a picture. */
export function chatGptExport() {
  const a = new ChatGpt("Prime numbers");
  const system = a.say(a.root, "system", "", { metadata: { is_visually_hidden_from_conversation: true } });
  const asked = a.node(system, { author: { role: "user" }, content: { content_type: "multimodal_text", parts: [{ content_type: "image_asset_pointer", asset_pointer: "file-service://file-1", size_bytes: 1, width: 8, height: 8 }, "Which of these numbers are prime? See **the table**."] },
    metadata: { attachments: [{ id: "file-2", name: "numbers.csv", size: 1234, mime_type: "text/csv" }, { id: "file-1", name: "photo.png", size: 99 }] } });
  const first = a.say(asked, "assistant", "I would rather not say.", { metadata: { model_slug: "gpt-x" } });
  const thought = a.node(asked, { author: { role: "assistant" }, content: { content_type: "thoughts", thoughts: [{ summary: "Sieve", content: "The sieve of Eratosthenes does it." }] } });
  const recap = a.node(thought, { author: { role: "assistant" }, content: { content_type: "reasoning_recap", content: "Thought for 3 seconds" } });
  const code = a.node(recap, { author: { role: "assistant" }, recipient: "python", content: { content_type: "code", language: "python", text: "print([n for n in range(2, 20) if all(n % d for d in range(2, n))])" }, metadata: { model_slug: "gpt-x" } });
  const output = a.node(code, { author: { role: "tool", name: "python" }, content: { content_type: "execution_output", text: "[2, 3, 5, 7, 11, 13, 17, 19]" } });
  const answer = a.say(output, "assistant", "These are **prime** \ue200cite\ue202turn0search0\ue201:\n\n| n | prime |\n|--|--|\n| 7 | yes |\n| 8 | no |\n\n$$\\pi(20) = 8$$\n\n```python\nprint(8)\n```\n", { metadata: { model_slug: "gpt-x" } });
  const more = a.say(answer, "user", "And below 100?");
  const end = a.say(more, "assistant", "Twenty-five.", { metadata: { model_slug: "gpt-x-mini" } });
  const edited = a.say(answer, "user", "And below 1000?");
  a.say(edited, "assistant", "A hundred and sixty-eight.");
  if (!first) throw new Error("no first answer");
  const b = new ChatGpt("\u062A\u062D\u064A\u0629");
  const greeting = b.say(b.root, "user", "\u0645\u0631\u062D\u0628\u0627");
  return [a.conversation(end), b.conversation(b.say(greeting, "assistant", "\u0623\u0647\u0644\u0627 \u0648\u0633\u0647\u0644\u0627"))];
}

/** llama.cpp's page: a root, two answers to one question, files as text, a picture, reasoning, a tool and its result. */
export function llamaExport() {
  const id = uuid();
  const message = (at, parent, role, content, more = {}) => ({ id: `m${at}`, convId: id, type: at === 0 ? "root" : "text", timestamp: 1_720_000_000_000 + at, role, content, parent, children: [], thinking: "", ...more });
  const call = [{ id: "call_1", type: "function", function: { name: "read_log", arguments: '{"lines":2}' } }];
  return { conv: { id, lastModified: 1_720_000_009_000, currNode: "m7", name: "Build error" }, messages: [
    message(0, null, "system", ""),
    message(1, "m0", "user", "Why does the build fail?", { extra: [{ type: "TEXT", name: "build.log", content: "error: expected ';'" }, { type: "IMAGE", name: "screen.png", base64Url: "data:image/png;base64,AAAA" }] }),
    message(2, "m1", "assistant", "No idea."),
    message(3, "m1", "assistant", "", { reasoningContent: "The log will tell.", toolCalls: JSON.stringify(call), model: "qwen" }),
    message(4, "m3", "tool", "main.c:3: error", { toolCallId: "call_1" }),
    message(5, "m4", "assistant", "A semicolon is missing:\n\n```c\nint x = 1;\n```", { model: "qwen", timings: { predicted_n: 12, predicted_ms: 90 } }),
    message(6, "m5", "user", "Thanks"),
    message(7, "m6", "assistant", "You are welcome.", { model: "qwen" }) ] };
}
