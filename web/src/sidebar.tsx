// The history: pinned chats, folders, then by age.
import { signal } from "@preact/signals";
import { openDialog } from "./dialog";
import { plainName, t, type Key } from "./i18n";
import { Icon, Mark } from "./icons";
import { Menu, type MenuItem } from "./menu";
import { preferences, setPreferences } from "./preferences";
import { changeChat, chats, deleteChat, folders, loadMoreChats, moreChats, newChat, openChat, sidebarOpen, view } from "./store";
import type { Chat } from "./types";

/** The chat whose name and folder the dialog changes. */
export const chatInDialog = signal<Chat | null>(null);

const closedFolders = signal<ReadonlySet<string>>(new Set());

export const narrow = () => matchMedia("(max-width: 800px)").matches;

export function toggleSidebar(): void {
  if (narrow()) {
    sidebarOpen.value = !sidebarOpen.value;
    const next = sidebarOpen.value ? ".sidebar-head button" : ".sidebar-button";
    requestAnimationFrame(() => document.querySelector<HTMLElement>(next)?.focus());
  }
  else setPreferences({ sidebar: !preferences.value.sidebar });
}

export function chatItems(chat: Chat): MenuItem[] {
  return [
    { label: t("rename"), icon: "edit", run: () => { chatInDialog.value = chat; openDialog.value = "chat"; } },
    { label: t(chat.pinned ? "unpin" : "pin"), icon: "pin", run: () => void changeChat(chat.id, { pinned: !chat.pinned }) },
    { label: t("export_chat"), icon: "download", run: () => { location.assign(`/ui/api/export?chat=${chat.id}`); } },
    { label: t("delete_chat"), icon: "trash", danger: true, run: () => { void deleteChat(chat); document.querySelector<HTMLElement>("#composer-text")?.focus(); } },
  ];
}

function Entry({ chat }: { chat: Chat }) {
  const open = view.value.chat?.id === chat.id;
  return (
    <li class={open ? "entry open" : "entry"}>
      <a
        href={`/chat/${chat.id}`}
        aria-current={open ? "page" : undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          sidebarOpen.value = false;
          void openChat(chat.id);
        }}
      >
        <span class="title" dir="auto">{plainName(chat.title) || t("untitled")}</span>
        {chat.running.length > 0 && <span class="dot" role="img" aria-label={t("answer_begins")} />}
      </a>
      <Menu label={t("chat_menu", { title: chat.title || t("untitled") })} items={() => chatItems(chat)} class="icon-button small">
        <Icon name="more" />
      </Menu>
    </li>
  );
}

function Group({ name, list }: { name: string; list: Chat[] }) {
  if (list.length === 0) return null;
  return (
    <section>
      <h2>{name}</h2>
      <ul>{list.map((chat) => <Entry key={chat.id} chat={chat} />)}</ul>
    </section>
  );
}

function Folder({ name, list }: { name: string; list: Chat[] }) {
  if (list.length === 0) return null;
  const closed = closedFolders.value.has(name);
  return (
    <section>
      <h2>
        <button type="button" class="folder" aria-expanded={!closed} onClick={() => {
          const next = new Set(closedFolders.value);
          if (!next.delete(name)) next.add(name);
          closedFolders.value = next;
        }}>
          <Icon name="folder" /><span class="title" dir="auto">{plainName(name)}</span>
        </button>
      </h2>
      {!closed && <ul>{list.map((chat) => <Entry key={chat.id} chat={chat} />)}</ul>}
    </section>
  );
}

const kDay = 86_400_000;

function ageOf(chat: Chat, now: number): Key {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (chat.updated >= midnight) return "today";
  if (chat.updated >= midnight - kDay) return "yesterday";
  return chat.updated >= midnight - 7 * kDay ? "this_week" : "earlier";
}

export function Sidebar() {
  const all = [...chats.value.values()].sort((a, b) => b.updated - a.updated);
  const loose = all.filter((c) => !c.pinned && !c.folder);
  const now = Date.now();
  const ages: Key[] = ["today", "yesterday", "this_week", "earlier"];
  return (
    <nav id="sidebar" class={sidebarOpen.value ? "sidebar shown" : "sidebar"} aria-label={t("chats")}>
      <div class="sidebar-head">
        <Mark />
        <span class="word">Rival</span>
        <span class="space" />
        <button type="button" class="icon-button" aria-label={t("sidebar_hide")} title={t("sidebar_hide")} onClick={toggleSidebar}><Icon name="sidebar" /></button>
      </div>
      <div class="sidebar-top">
        <button type="button" class="wide" onClick={() => { sidebarOpen.value = false; newChat(); }}><Icon name="compose" />{t("new_chat")}</button>
        <button type="button" class="wide" onClick={() => { openDialog.value = "search"; }}><Icon name="search" />{t("search")}</button>
      </div>
      <div class="history" tabIndex={-1}>
        {all.length === 0 && <p class="note">{t("no_chats")}</p>}
        <Group name={t("pinned")} list={all.filter((c) => c.pinned)} />
        {folders.value.map((name) => <Folder key={name} name={name} list={all.filter((c) => !c.pinned && c.folder === name)} />)}
        {ages.map((age) => <Group key={age} name={t(age)} list={loose.filter((c) => ageOf(c, now) === age)} />)}
        {moreChats.value && <button type="button" class="quiet" onClick={() => void loadMoreChats()}>{t("more_chats")}</button>}
      </div>
      <div class="sidebar-foot">
        <button type="button" class="wide" onClick={() => { openDialog.value = "settings"; }}><Icon name="gear" />{t("settings")}</button>
      </div>
    </nav>
  );
}
