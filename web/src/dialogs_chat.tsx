// Name and folder of a chat, and the key that the server asks for.
import { useState } from "preact/hooks";
import { ApiError, call } from "./api";
import { Dialog, closeDialog } from "./dialog";
import { t } from "./i18n";
import { notifyError } from "./notices";
import { chatInDialog } from "./sidebar";
import { changeChat, folders, start } from "./store";

export function ChatDialog() {
  const chat = chatInDialog.value;
  const [title, setTitle] = useState(chat?.title ?? "");
  const [folder, setFolder] = useState(chat?.folder ?? "");
  if (!chat) return null;
  const save = async () => {
    await changeChat(chat.id, { ...(title.trim() !== chat.title ? { title: title.trim() } : {}), folder: folder.trim() });
    closeDialog();
  };
  return (
    <Dialog title={t("rename")} kind="small-dialog">
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <div class="field">
          <label for="chat-title">{t("chat_title")}</label>
          <div class="row">
            <input id="chat-title" type="text" value={title} maxLength={200} data-focus onInput={(event) => setTitle(event.currentTarget.value)} />
            <button type="button" class="quiet" onClick={() => { void call("POST", `/ui/api/chats/${chat.id}/title`, {}).catch(notifyError); closeDialog(); }}>{t("title_by_model")}</button>
          </div>
        </div>
        <div class="field">
          <label for="chat-folder">{t("folder")}</label>
          <input id="chat-folder" type="text" list="folder-names" value={folder} maxLength={100} placeholder={t("folder_hint")} onInput={(event) => setFolder(event.currentTarget.value)} />
          <datalist id="folder-names">{folders.value.map((name) => <option key={name} value={name} />)}</datalist>
        </div>
        <div class="row end">
          <button type="button" class="quiet" onClick={closeDialog}>{t("cancel")}</button>
          <button type="submit" class="primary">{t("save")}</button>
        </div>
      </form>
    </Dialog>
  );
}

export function KeyDialog() {
  const [key, setKey] = useState("");
  const [problem, setProblem] = useState("");
  const enter = async () => {
    try {
      await call("POST", "/ui/api/session", { key: key.trim() });
      await start();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) setProblem(t("key_wrong"));
      else if (error instanceof ApiError && error.status === 429) setProblem(t("error_rate"));
      else setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title={t("key_title")} kind="small-dialog" locked>
      <form onSubmit={(event) => { event.preventDefault(); void enter(); }}>
        <p>{t("key_ask")}</p>
        <div class="field">
          <label for="key">{t("key_label")}</label>
          <input id="key" type="password" autocomplete="current-password" data-focus value={key} aria-invalid={problem !== ""} aria-describedby="key-problem" onInput={(event) => setKey(event.currentTarget.value)} />
          <p class="note bad" id="key-problem" role="alert">{problem}</p>
        </div>
        <div class="row end"><button type="submit" class="primary" disabled={key.trim() === ""}>{t("sign_in")}</button></div>
      </form>
    </Dialog>
  );
}
