// The list of chats, the models and the chat that is open; what events and answers of the server change in them.
import { batch, computed, signal } from "@preact/signals";
import { call, onSessionNeeded } from "./api";
import { announce } from "./announce";
import { EventFeed } from "./events";
import { t, type Key } from "./i18n";
import { notify, notifyError } from "./notices";
import { loadPreferences, preferences, setPreferences } from "./preferences";
import { MessageTree, applyDelta } from "./tree";
import type { Chat, Delta, Download, Message, Model, ServerEvent, Settings } from "./types";

export interface Info {
  version: string;
  needs_key: boolean;
  signed_in: boolean;
  sequence: number;
}

export interface View {
  /** null: a chat that the server does not know (new, or temporary). */
  chat: Chat | null;
  temporary: boolean;
  tree: MessageTree;
  /** Up to this event everything is in the tree already. */
  sequence: number;
  /** It began in this tab just now: what is being typed stays. */
  begun?: boolean;
}

export const info = signal<Info | null>(null);
export const keyNeeded = signal(false);
export const chats = signal<ReadonlyMap<string, Chat>>(new Map());
export const moreChats = signal<string | null>(null);
export const folders = signal<string[]>([]);
export const models = signal<Model[]>([]);
export const defaultModel = signal("");
export const view = signal<View>(emptyView(false));
export const leaf = signal<number | null>(null);
/** Counts the changes of the tree, whose messages are changed in place. */
export const revision = signal(0);
export const loadingChat = signal(false);
export const sidebarOpen = signal(false);

export function emptyView(temporary: boolean): View {
  return { chat: null, temporary, tree: new MessageTree(), sequence: 0 };
}

export const path = computed<Message[]>(() => {
  revision.value;
  return view.value.tree.path(leaf.value);
});

export const answering = computed(() => path.value.some((m) => m.state === "running") ||
  path.value.some((m) => view.value.tree.companions(m).some((c) => c.state === "running")));

/** The name of the model that answers next. */
export const modelName = computed(() => {
  const wanted = view.value.chat?.settings.model || preferences.value.model;
  const usable = models.value.filter((m) => m.served || m.stored);
  if (wanted && (models.value.length === 0 || usable.some((m) => m.name === wanted))) return wanted;
  return defaultModel.value;
});

// A text that grows is drawn outside the component tree, per frame.
const growing = new Map<number, Set<() => void>>();

export function onGrowth(id: number, draw: () => void): () => void {
  const set = growing.get(id) ?? new Set();
  set.add(draw);
  growing.set(id, set);
  return () => set.delete(draw);
}

export function grown(id: number): void {
  for (const draw of growing.get(id) ?? []) draw();
}

// ---------------------------------------------------------------- chats

export function putChat(chat: Chat): void {
  const next = new Map(chats.value);
  next.set(chat.id, chat);
  chats.value = next;
  if (chat.folder && !folders.value.includes(chat.folder)) folders.value = [...folders.value, chat.folder].sort();
  if (view.value.chat?.id === chat.id) view.value = { ...view.value, chat };
}

export function dropChats(ids: string[]): void {
  const next = new Map(chats.value);
  for (const id of ids) next.delete(id);
  chats.value = next;
  if (view.value.chat && ids.includes(view.value.chat.id)) newChat();
}

interface ChatPage {
  chats: Chat[];
  next: string | null;
  pinned?: Chat[];
  folders?: string[];
}

export async function loadChats(): Promise<void> {
  const page = await call<ChatPage>("GET", "/ui/api/chats?limit=100");
  batch(() => {
    chats.value = new Map([...(page.pinned ?? []), ...page.chats].map((c) => [c.id, c]));
    moreChats.value = page.next;
    folders.value = page.folders ?? [];
  });
}

export async function loadMoreChats(): Promise<void> {
  if (!moreChats.value) return;
  const page = await call<ChatPage>("GET", `/ui/api/chats?limit=100&before=${encodeURIComponent(moreChats.value)}`);
  chats.value = new Map([...chats.value, ...page.chats.map((c) => [c.id, c] as const)]);
  moreChats.value = page.next;
}

export async function loadModels(): Promise<void> {
  const answer = await call<{ models: Model[]; default: string }>("GET", "/ui/api/models");
  batch(() => {
    models.value = answer.models;
    defaultModel.value = answer.default ?? "";
  });
}

// ---------------------------------------------------------------- the open chat

export function newChat(temporary = false): void {
  batch(() => {
    view.value = emptyView(temporary);
    leaf.value = null;
    ++revision.value;
  });
  setAddress("/");
}

export async function openChat(id: string, { at, begun = false }: { at?: number; begun?: boolean } = {}): Promise<void> {
  loadingChat.value = true;
  try {
    await fetchChat(id, at, begun);
    setAddress(`/chat/${id}`);
  } catch (error) {
    notifyError(error);
    if (view.value.chat?.id === id) newChat();
  } finally {
    loadingChat.value = false;
  }
}

type Told = [event: ServerEvent, sequence: number];
const listening = new Set<Told[]>();

/** What `work` comes to, and the events that were told meanwhile: an answer of the server may be older than they are. */
export async function withEvents<T>(work: Promise<T>): Promise<{ result: T; told: Told[] }> {
  const told: Told[] = [];
  listening.add(told);
  try {
    return { result: await work, told };
  } finally {
    listening.delete(told);
  }
}

async function fetchChat(id: string, at?: number, begun = false): Promise<void> {
  const { result: answer, told } = await withEvents(call<{ chat: Chat; messages: Message[]; sequence: number }>("GET", `/ui/api/chats/${id}`));
  batch(() => {
    const tree = new MessageTree(answer.messages);
    const stay = view.value.chat?.id === id && tree.get(leaf.value) ? leaf.value : null;
    view.value = { chat: answer.chat, temporary: false, tree, sequence: answer.sequence, begun };
    leaf.value = at !== undefined && tree.get(at) ? tree.leafBelow(at) : stay ?? (tree.get(answer.chat.leaf) ? answer.chat.leaf : tree.newestLeaf());
    ++revision.value;
  });
  putChat(answer.chat);
  for (const [event, sequence] of told) {
    if (event.type === "message") takeMessage(event.message, sequence);
    else if (event.type === "delta" && sequence > answer.sequence) takeDelta(event);
  }
}

export function setAddress(address: string): void {
  if (location.pathname !== address) history.pushState(null, "", address);
}

/** Opens what the address names. */
export function followAddress(): void {
  const found = /^\/chat\/([0-9a-f]{1,32})$/.exec(location.pathname);
  if (found) void openChat(found[1]);
  else newChat();
}

/** Takes messages of an answer of the server, unless the events were faster. */
export function adopt(messages: Message[]): void {
  const { tree } = view.value;
  batch(() => {
    for (const message of messages) if (!tree.get(message.id)) tree.put(message);
    const last = messages.at(-1);
    if (last) leaf.value = tree.leafBelow(messages.at(-1)!.group ? messages.find((m) => m.group === last.group)!.id : last.id);
    ++revision.value;
  });
}

export function showLeaf(id: number): void {
  leaf.value = id;
  const { chat } = view.value;
  if (chat) void call("PATCH", `/ui/api/chats/${chat.id}`, { leaf: id }).catch(() => undefined);
}

export async function changeChat(id: string, change: Partial<Pick<Chat, "title" | "pinned" | "folder" | "system" | "settings">>): Promise<void> {
  try {
    putChat((await call<{ chat: Chat }>("PATCH", `/ui/api/chats/${id}`, change)).chat);
  } catch (error) {
    notifyError(error);
  }
}

export async function deleteChat(chat: Chat): Promise<void> {
  try {
    const { ids, undo_ms } = await call<{ ids: string[]; undo_ms: number }>("DELETE", `/ui/api/chats/${chat.id}`);
    dropChats(ids);
    notify(t("chat_deleted", { title: chat.title || t("untitled") }), { ms: Math.min(undo_ms ?? 10_000, 15_000), action: { label: t("undo"), run: () => void restore(ids) } });
  } catch (error) {
    notifyError(error);
  }
}

export async function restore(ids: string[]): Promise<void> {
  try {
    for (const chat of (await call<{ chats: Chat[] }>("POST", "/ui/api/restore", { ids })).chats) putChat(chat);
    announce(t("restored"));
  } catch (error) {
    notifyError(error);
  }
}

/** The model that answers next, in the open chat and in new ones. */
export function chooseModel(name: string): void {
  setPreferences({ model: name });
  const { chat } = view.value;
  if (chat) void changeChat(chat.id, { settings: { ...chat.settings, model: name } });
}

/** Settings and system prompt of the open chat; of the next chats while none is open. */
export function changeSettings(settings: Settings, system: string): void {
  const { chat } = view.value;
  if (chat) void changeChat(chat.id, { settings: { ...settings, model: settings.model ?? chat.settings.model }, system });
}

// ---------------------------------------------------------------- events

function takeMessage(message: Message, sequence: number): void {
  const current = view.value;
  if (current.chat?.id !== message.chat || sequence <= current.sequence) return;
  const { tree } = current;
  const known = tree.get(message.id);
  batch(() => {
    // A message that another tab began goes on below what is shown here.
    const follows = !known && message.parent === leaf.value;
    if (!known || message.state !== "running" || message.text.length >= known.text.length) tree.put(message);
    if (follows) leaf.value = message.id;
    ++revision.value;
  });
  grown(message.id);
}

function takeDelta(delta: Delta): void {
  const current = view.value;
  if (current.chat?.id !== delta.chat) return;
  const message = current.tree.get(delta.message);
  if (message && applyDelta(message, delta)) return grown(message.id);
  void fetchChat(delta.chat).catch(() => undefined);
}

const kDownloadProblems: Record<NonNullable<Download["code"]>, Key> = {
  stopped: "download_stopped", network: "download_network", damaged: "download_damaged", disk: "download_disk", denied: "download_denied", failed: "download_failed",
};

/** Why a download did not come to its end. */
export const downloadProblem = (download: Download): string => t(kDownloadProblems[download.code ?? "failed"]);

function takeDownload(name: string, download: Download): void {
  models.value = models.value.map((m) => (m.name === name ? { ...m, download } : m));
  if (download.state === "running") return;
  if (download.state === "done") notify(t("download_done", { name }), { ms: 15_000, action: { label: t("download_use"), run: () => chooseModel(name) } });
  else if (download.code === "stopped") announce(downloadProblem(download));
  else notify(`${name}: ${downloadProblem(download)}`, { kind: "error", ms: 15_000 });
  void loadModels().catch(() => undefined);
}

async function catchUp(): Promise<void> {
  await loadChats();
  const { chat } = view.value;
  if (chat) await fetchChat(chat.id).catch(() => undefined);
}

function takeEvent(event: ServerEvent, sequence: number): void {
  for (const told of listening) told.push([event, sequence]);
  if (event.type === "delta") takeDelta(event);
  else if (event.type === "message") takeMessage(event.message, sequence);
  else if (event.type === "chat") putChat(event.chat);
  else if (event.type === "deleted") dropChats(event.ids);
  else if (event.type === "download") takeDownload(event.name, event);
  else if (event.type === "sync") void catchUp().catch(() => undefined);
  else if (event.type === "imported") void loadChats().catch(() => undefined);
}

export const feed = new EventFeed(takeEvent);

// ---------------------------------------------------------------- the start

onSessionNeeded.handler = () => {
  keyNeeded.value = true;
};

export async function start(): Promise<void> {
  info.value = await call<Info>("GET", "/ui/api/info");
  if (info.value.needs_key && !info.value.signed_in) {
    keyNeeded.value = true;
    return;
  }
  keyNeeded.value = false;
  const opened = location.pathname === "/" ? null : followAddress();
  await Promise.all([loadChats(), loadModels(), loadPreferences().catch(() => undefined), opened]);
  feed.start(info.value.sequence);
  feed.retry();
}

/** Starts as soon as there is a server. */
export async function startPatiently(): Promise<void> {
  for (let wait = 300; ; wait = Math.min(wait * 2, 4000)) {
    try {
      return await start();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
