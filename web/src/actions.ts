// Asking and answering: in a stored chat through the server's tree, in a temporary one through a tree that lives here.
import { signal } from "@preact/signals";
import { ApiError, call, request } from "./api";
import { attached, draft } from "./draft";
import { t } from "./i18n";
import { notify, notifyError } from "./notices";
import { preferences } from "./preferences";
import { readEvents } from "./sse";
import { adopt, answering, grown, leaf, modelName, openChat, path, putChat, revision, showLeaf, view, withEvents } from "./store";
import { editing } from "./state_of_hands";
import { applyDelta } from "./tree";
import type { Attachment, Chat, Message, ServerEvent, Settings, ToolCall } from "./types";

/** The second model of a comparison, or "". */
export const rivalModel = signal("");

interface AnswerOptions {
  model?: string;
  allowDrop?: boolean;
  /** The model has called what it had to: what follows is its own choice, else it would call for ever. */
  afterResults?: boolean;
}

const settingsNow = (): Settings => view.value.chat?.settings ?? preferences.value.settings;
const systemNow = (): string => view.value.chat?.system ?? preferences.value.system;

function answerBody({ model, allowDrop, afterResults }: AnswerOptions): Record<string, unknown> {
  const chosen = model ?? modelName.value;
  const both = !model && rivalModel.value && rivalModel.value !== chosen;
  const { model: _, tools, ...settings } = settingsNow();
  if (view.value.temporary && tools) Object.assign(settings, { tools });  // a stored chat has its own at the server
  if (afterResults && settings.tool_choice === "required") settings.tool_choice = "auto";
  return { ...(both ? { models: [chosen, rivalModel.value] } : chosen ? { model: chosen } : {}), settings, ...(allowDrop ? { allow_drop: true } : {}) };
}

// A chat begins with its first message: where that is refused there is no chat either.
async function beginChat(message: object): Promise<void> {
  const here = view.value;
  const { system, settings } = preferences.value;
  const { chat } = await call<{ chat: Chat }>("POST", "/ui/api/chats", { system, settings: { ...settings, ...(modelName.value ? { model: modelName.value } : {}) }, message });
  putChat(chat);
  if (view.value === here) await openChat(chat.id, { begun: true });
}

// The same call again, with leave to drop the oldest messages, when the user says so.
async function allowingDrop(run: (allowDrop: boolean) => Promise<void>): Promise<boolean> {
  try {
    await run(false);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === "context_length_exceeded")
      notify(t("error_context"), { kind: "error", ms: 30_000, action: { label: t("drop_and_send"), run: () => void run(true).catch(notifyError) } });
    else notifyError(error);
    return false;
  }
}

// The text went to the server after all, by way of a notice.
function forgetDraft(text: string): void {
  editing.value = null;
  if (draft.value !== text) return;
  draft.value = "";
  attached.value = [];
}

/** Adds a message below `parent` and has it answered. False: nothing was stored, the text is still the caller's. */
export async function ask(parent: number | null, text: string, attachments: Attachment[]): Promise<boolean> {
  if (view.value.temporary) {
    const message = addTemporary({ parent, role: "user", text, attachments, state: "done" });
    void answerTemporary(message.id, {});
    return true;
  }
  const { chat } = view.value;
  return allowingDrop(async (allowDrop) => {
    const message = {
      parent, text, answer: answerBody({ allowDrop }),
      ...(attachments.length > 0 ? { attachments: attachments.map(({ name, text, message, index }) => (message === undefined ? { name, text } : { message, index })) } : {}),
    };
    if (chat) await addMessage(chat, message);
    else await beginChat(message);
    if (allowDrop) forgetDraft(text);
  });
}

async function addMessage(chat: Chat, body: object): Promise<Message> {
  const answer = await call<{ message: Message; answers: Message[] }>("POST", `/ui/api/chats/${chat.id}/messages`, body);
  if (view.value.chat?.id === chat.id) adopt([answer.message, ...answer.answers]);
  return answer.message;
}

export interface CallResult {
  call: ToolCall;
  text: string;
}

/** Gives the model what its calls came to, and has it answer. */
export async function giveResults(results: CallResult[]): Promise<void> {
  const { chat, temporary } = view.value;
  let parent = leaf.value;
  if (temporary) {
    for (const { call, text } of results) parent = addTemporary({ parent, role: "tool", text, tool_call_id: call.id, state: "done" }).id;
    return answerTemporary(parent!, { afterResults: true });
  }
  // What was stored before a refusal is not stored again when it goes on.
  const left = [...results];
  await allowingDrop(async (allowDrop) => {
    for (; left.length > 0; left.shift()) {
      const { call, text } = left[0];
      const answer = left.length === 1 ? { answer: answerBody({ allowDrop, afterResults: true }) } : {};
      parent = (await addMessage(chat!, { parent, role: "tool", tool_call_id: call.id, text, ...answer })).id;
    }
  });
}

/** One more answer to the message before `message`. */
export async function regenerate(message: Message, model?: string): Promise<void> {
  if (message.parent === null) return;
  const afterResults = view.value.tree.get(message.parent)?.role === "tool";
  if (view.value.temporary) return answerTemporary(message.parent, { model, afterResults });
  await allowingDrop(async (allowDrop) => {
    const { answers } = await call<{ answers: Message[] }>("POST", `/ui/api/chats/${view.value.chat!.id}/answers`, { parent: message.parent, ...answerBody({ model, allowDrop, afterResults }) });
    adopt(answers);
  });
}

export async function continueAnswer(message: Message): Promise<void> {
  if (view.value.temporary) return answerTemporary(message.parent!, { model: message.model }, message);
  await allowingDrop(async (allowDrop) => {
    const { result: { answers }, told } = await withEvents(call<{ answers: Message[] }>("POST", `/ui/api/chats/${view.value.chat!.id}/continue`, { message: message.id, ...(allowDrop ? { allow_drop: true } : {}) }));
    const { tree } = view.value;
    for (const answer of answers) {
      if (told.some(([event]) => event.type === "message" && event.message.id === answer.id && event.message.state !== "running")) continue;  // it has ended already
      const known = tree.get(answer.id);
      if (known && known.state !== "running" && known.text.length <= answer.text.length) tree.put(answer);
    }
    ++revision.value;
  });
}

export async function stop(): Promise<void> {
  if (!answering.value) return;
  if (view.value.temporary) return temporaryAbort?.abort();
  try {
    await call("POST", `/ui/api/chats/${view.value.chat!.id}/stop`, {});
  } catch (error) {
    notifyError(error);
  }
}

export function turnBranch(message: Message, step: 1 | -1): void {
  const next = view.value.tree.neighbourLeaf(message, step);
  if (next !== null) showLeaf(next);
}

// ---------------------------------------------------------------- temporary chats

let temporaryAbort: AbortController | null = null;

function addTemporary(fields: Omit<Message, "id">): Message {
  const message: Message = { id: view.value.tree.size + 1, created: Date.now(), ...fields };
  view.value.tree.put(message);
  leaf.value = message.id;
  ++revision.value;
  return message;
}

async function answerTemporary(parent: number, options: AnswerOptions, continued?: Message): Promise<void> {
  const { tree } = view.value;
  const id = continued ? continued.id : addTemporary({ parent, role: "assistant", text: "", state: "running", model: options.model ?? modelName.value }).id;
  if (continued) tree.put({ ...continued, state: "running" });
  ++revision.value;
  const messages = tree.path(continued ? continued.id : parent).map(({ role, text, reasoning, attachments, tool_calls, tool_call_id }) => ({
    role, text, ...(reasoning ? { reasoning } : {}), ...(tool_calls ? { tool_calls } : {}), ...(tool_call_id ? { tool_call_id } : {}), ...(attachments?.length ? { attachments: attachments.map(({ name, text }) => ({ name, text })) } : {}) }));
  const abort = (temporaryAbort = new AbortController());
  const left = view.subscribe((now) => {
    if (now.tree !== tree) abort.abort();
  });
  const { models: _, ...answer } = answerBody(options);
  const put = (message: Partial<Message>) => {
    const now = tree.get(id)!;
    tree.put({ ...now, ...message, id, parent: now.parent });
    ++revision.value;
    grown(id);
  };
  try {
    const response = await request("POST", "/ui/api/temporary", { messages, system: systemNow(), model: modelName.value, ...answer, ...(continued ? { continue: true } : {}) }, { signal: abort.signal });
    await readEvents(response, ({ data }) => {
      const event = JSON.parse(data) as ServerEvent;
      if (event.type === "message") put(event.message);
      else if (event.type === "delta" && applyDelta(tree.get(id)!, event)) grown(id);
    });
    if (tree.get(id)!.state === "running") put({ state: "interrupted" });
  } catch (error) {
    put(abort.signal.aborted ? { state: "stopped" } : { state: "error", error: error instanceof Error ? error.message : String(error) });
    if (!abort.signal.aborted) notifyError(error);
  } finally {
    left();
  }
}

/** The message that ArrowUp edits: the last of the user. */
export function lastUserMessage(): Message | undefined {
  return path.value.filter((m) => m.role === "user").at(-1);
}
