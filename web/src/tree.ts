// The messages of a chat: a forest by `parent`. Siblings stand in the order of their ids; a branch is the way from a
// root to a leaf.
import type { Delta, Message, ToolCall } from "./types";

export class MessageTree {
  private readonly messages = new Map<number, Message>();
  private readonly below = new Map<number | null, number[]>();

  constructor(messages: Iterable<Message> = []) {
    for (const message of messages) this.put(message);
  }

  get size(): number {
    return this.messages.size;
  }

  get(id: number | null): Message | undefined {
    return id === null ? undefined : this.messages.get(id);
  }

  /** Adds a message or takes its newer state in place of what was there. */
  put(message: Message): void {
    if (!this.messages.has(message.id)) {
      const siblings = this.below.get(message.parent) ?? [];
      siblings.push(message.id);
      siblings.sort((a, b) => a - b);
      this.below.set(message.parent, siblings);
    }
    this.messages.set(message.id, message);
  }

  /** Root first; ends early rather than turn in a circle if an id repeats. */
  path(leaf: number | null): Message[] {
    const path: Message[] = [];
    const seen = new Set<number>();
    for (let m = this.get(leaf); m && !seen.has(m.id); m = this.get(m.parent)) {
      seen.add(m.id);
      path.push(m);
    }
    return path.reverse();
  }

  children(id: number | null): Message[] {
    return (this.below.get(id) ?? []).map((child) => this.messages.get(child)!);
  }

  siblings(message: Message): Message[] {
    return this.children(message.parent);
  }

  /** The end of the newest branch that goes through `id`. */
  leafBelow(id: number): number {
    const seen = new Set<number>();
    for (;;) {
      seen.add(id);
      const next = this.below.get(id)?.at(-1);
      if (next === undefined || seen.has(next)) return id;
      id = next;
    }
  }

  newestLeaf(): number | null {
    const root = this.below.get(null)?.at(-1);
    return root === undefined ? null : this.leafBelow(root);
  }

  /** The leaf to show after an arrow at `message`: the neighbour's newest end, or null at the edge. */
  neighbourLeaf(message: Message, step: 1 | -1): number | null {
    const siblings = this.siblings(message);
    const next = siblings[siblings.findIndex((s) => s.id === message.id) + step];
    return next ? this.leafBelow(next.id) : null;
  }

  /** Answers to one prompt by several models, oldest first; [message] when it stands alone. */
  companions(message: Message): Message[] {
    if (message.group === undefined || message.group === null || message.group === "") return [message];
    return this.siblings(message).filter((s) => s.group === message.group);
  }

  /** The call that a tool's result answers. */
  callOf(result: Message): ToolCall | undefined {
    let asked = this.get(result.parent);
    while (asked?.role === "tool") asked = this.get(asked.parent);
    return asked?.tool_calls?.find((call) => call.id === result.tool_call_id);
  }
}

/** The calls at the end of a branch that have no result yet. */
export function openCalls(path: Message[]): ToolCall[] {
  const end = path.findLastIndex((m) => m.role !== "tool");
  const asked = path[end];
  if (asked?.role !== "assistant" || asked.state === "running") return [];
  const answered = new Set(path.slice(end + 1).map((m) => m.tool_call_id));
  return (asked.tool_calls ?? []).filter((call) => !answered.has(call.id));
}

/** Applies a delta in place. False: something was missed between, and the message must be fetched anew. */
export function applyDelta(message: Message, delta: Delta): boolean {
  const reasoning = message.reasoning ?? "";
  if (delta.text !== undefined && (delta.at ?? message.text.length) > message.text.length) return false;
  if (delta.reasoning !== undefined && (delta.reasoning_at ?? reasoning.length) > reasoning.length) return false;
  if (delta.text !== undefined) message.text = joined(message.text, delta.text, delta.at);
  if (delta.reasoning !== undefined) message.reasoning = joined(reasoning, delta.reasoning, delta.reasoning_at);
  if (delta.tool_calls) message.tool_calls = delta.tool_calls;
  return true;
}

// Deltas overlap where a fetched message was already further than the events: what is there already is skipped.
function joined(before: string, piece: string, at = before.length): string {
  const known = before.slice(at, at + piece.length);
  if (piece.startsWith(known)) return before + piece.slice(known.length);
  return before.slice(0, at) + piece;
}
