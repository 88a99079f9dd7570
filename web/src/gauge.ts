// How full the context is: asked of the server a moment after the branch or the draft has changed.
import { effect, signal } from "@preact/signals";
import { call } from "./api";
import { attached, draft } from "./draft";
import { preferences } from "./preferences";
import { answering, leaf, modelName, path, view } from "./store";
import type { Count } from "./types";

export const gauge = signal<Count | null>(null);

const kPauseMs = 500;

async function ask(signal: AbortSignal): Promise<void> {
  const { chat, temporary } = view.value;
  const { system, settings } = preferences.value;
  const text = draft.value;
  const attachments = attached.value.map(({ name, text }) => ({ name, text }));
  const branch = temporary || !chat ? { messages: path.value.map(({ role, text }) => ({ role, text })), system, settings } : { chat: chat.id, parent: leaf.value };
  const body = { ...branch, ...(text ? { text } : {}), ...(attachments.length ? { attachments } : {}), ...(modelName.value ? { model: modelName.value } : {}) };
  gauge.value = await call<Count>("POST", "/ui/api/count", body, signal);
}

export function keepGauge(): void {
  let abort: AbortController | undefined;
  effect(() => {
    draft.value;
    attached.value;
    leaf.value;
    modelName.value;
    preferences.value;
    view.value.chat;
    abort?.abort();
    if (answering.value) return;
    const mine = (abort = new AbortController());
    const timer = setTimeout(() => void ask(mine.signal).catch(() => { if (!mine.signal.aborted) gauge.value = null; }), kPauseMs);
    mine.signal.addEventListener("abort", () => clearTimeout(timer));
  });
}
