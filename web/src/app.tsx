// The page: history at the left, the conversation, the composer, and what lies above them for a while.
import { useEffect, useState } from "preact/hooks";
import { attachFiles } from "./attach";
import { Composer } from "./composer";
import { Conversation } from "./conversation";
import { openDialog } from "./dialog";
import { ChatDialog, KeyDialog } from "./dialogs_chat";
import { ControlsDialog } from "./dialogs_controls";
import { KeysDialog, SearchDialog } from "./dialogs_find";
import { ModelsDialog } from "./dialogs_models";
import { SettingsDialog } from "./dialogs_settings";
import { connection } from "./events";
import { plainName, t } from "./i18n";
import { Icon } from "./icons";
import { Menu } from "./menu";
import { Notices } from "./notices_view";
import { preferences } from "./preferences";
import { copyConversation, saveConversation } from "./share";
import { Sidebar, chatItems, toggleSidebar } from "./sidebar";
import { keyNeeded, modelName, models, newChat, path, sidebarOpen, view } from "./store";

function Header() {
  const { chat, temporary } = view.value;
  const items = () => [
    { label: t("copy_conversation"), icon: "copy" as const, run: copyConversation },
    { label: t("save_conversation"), icon: "share" as const, run: saveConversation },
    ...(chat ? chatItems(chat) : []),
  ];
  return (
    <header class="top">
      <button type="button" class="icon-button sidebar-button" aria-label={t("sidebar_show")} title={t("sidebar_show")} aria-controls="sidebar" onClick={toggleSidebar}><Icon name="sidebar" /></button>
      <button type="button" class="icon-button compact-new" aria-label={t("new_chat")} title={t("new_chat")} onClick={() => newChat()}><Icon name="compose" /></button>
      <button type="button" class="model-button" aria-label={t("model_button", { model: modelName.value || t("no_model") })} onClick={() => { openDialog.value = "models"; }}>
        <span>{modelName.value || (models.value.length > 0 ? t("no_model") : "…")}</span>
        <Icon name="down" />
      </button>
      {path.value.length > 0 && <h1 class="chat-title" dir="auto">{temporary ? t("temporary") : plainName(chat?.title ?? "") || t("untitled")}</h1>}
      <span class="space" />
      {path.value.length === 0 && (
        <button type="button" class={temporary ? "icon-button on" : "icon-button"} aria-pressed={temporary} aria-label={t("temporary")} title={t("temporary_hint")} onClick={() => newChat(!temporary)}><Icon name="ghost" /></button>
      )}
      {path.value.length > 0 && <Menu label={t("conversation_menu")} items={items}><Icon name="more" /></Menu>}
    </header>
  );
}

const kPatienceMs = 1200;

function Connection() {
  const [late, setLate] = useState(false);
  const lost = connection.value === "lost";
  useEffect(() => {
    if (!lost) return setLate(false);
    const timer = setTimeout(() => setLate(true), kPatienceMs);
    return () => clearTimeout(timer);
  }, [lost]);
  return <div role="status" class="connection">{lost && late && <p><span class="dot" />{t("connection_lost")}</p>}</div>;
}

function Dialogs() {
  if (keyNeeded.value) return <KeyDialog />;
  switch (openDialog.value) {
    case "search": return <SearchDialog />;
    case "keys": return <KeysDialog />;
    case "models": return <ModelsDialog />;
    case "settings": return <SettingsDialog />;
    case "controls": return <ControlsDialog />;
    case "chat": return <ChatDialog />;
    default: return null;
  }
}

function useDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const files = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const onOver = (event: DragEvent) => {
      if (!files(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!files(event)) return;
      event.preventDefault();
      setOver(false);
      void attachFiles([...(event.dataTransfer?.files ?? [])]);
    };
    addEventListener("dragover", onOver);
    addEventListener("dragleave", onLeave);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("dragover", onOver);
      removeEventListener("dragleave", onLeave);
      removeEventListener("drop", onDrop);
    };
  }, []);
  return over;
}

export function App() {
  const over = useDrop();
  const chat = view.value.chat;
  useEffect(() => {
    document.title = chat?.title ? `${plainName(chat.title)} · Rival` : "Rival";
  }, [chat?.title]);
  return (
    <div class={preferences.value.sidebar ? "app" : "app no-sidebar"}>
      <a class="skip" href="#composer-text">{t("skip")}</a>
      <Sidebar />
      {sidebarOpen.value && <div class="veil" onClick={() => { sidebarOpen.value = false; }} />}
      <main class={view.value.temporary ? "temporary" : ""}>
        <Header />
        <Connection />
        <Conversation />
        <Composer />
      </main>
      <Dialogs />
      {openDialog.value === null && !keyNeeded.value && <Notices />}
      {over && <div class="drop">{t("drop_here")}</div>}
    </div>
  );
}
