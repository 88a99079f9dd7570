// Theme, language, the history as files, and the way out.
import { useRef, useState } from "preact/hooks";
import { call } from "./api";
import { Dialog, closeDialog, openDialog } from "./dialog";
import { t, type Key } from "./i18n";
import { importFiles } from "./import";
import { notify, notifyError } from "./notices";
import { preferences, setPreferences, type Theme } from "./preferences";
import { chats, dropChats, info, restore } from "./store";

export function Choice<T extends string>({ name, label, value, options, choose }: { name: string; label: string; value: T; options: [T, string][]; choose: (value: T) => void }) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      <div class="segments">
        {options.map(([option, words]) => (
          <label key={option}>
            <input type="radio" name={name} checked={value === option} onChange={() => choose(option)} />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

async function deleteAll(): Promise<void> {
  try {
    const { ids, undo_ms } = await call<{ ids: string[]; undo_ms: number }>("DELETE", "/ui/api/chats");
    dropChats(ids);
    closeDialog();
    notify(t("all_deleted", { n: ids.length }), { ms: Math.min(undo_ms ?? 10_000, 15_000), action: { label: t("undo"), run: () => void restore(ids) } });
  } catch (error) {
    notifyError(error);
  }
}

async function signOut(): Promise<void> {
  await call("DELETE", "/ui/api/session").catch(() => undefined);
  location.assign("/");
}

const kThemes: [Theme, Key][] = [["auto", "theme_auto"], ["light", "theme_light"], ["dark", "theme_dark"]];

export function SettingsDialog() {
  const picker = useRef<HTMLInputElement>(null);
  const [sure, setSure] = useState(false);
  const { theme, language } = preferences.value;
  return (
    <Dialog title={t("settings")} kind="small-dialog">
      <Choice name="theme" label={t("theme")} value={theme} options={kThemes.map(([v, key]) => [v, t(key)])} choose={(next) => setPreferences({ theme: next })} />
      <Choice name="language" label={t("language")} value={language} options={[["auto", t("theme_auto")], ["en", t("english")], ["de", t("german")]]} choose={(next) => setPreferences({ language: next })} />
      <h3 class="section">{t("history")}</h3>
      <div class="row wrap">
        <a class="button quiet" href="/ui/api/export" download>{t("export_all")}</a>
        <button type="button" class="quiet" onClick={() => picker.current!.click()}>{t("import")}</button>
        <input ref={picker} type="file" accept=".json,.jsonl,application/json" multiple hidden onChange={(event) => {
          void importFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }} />
      </div>
      <p class="hint">{t("import_hint")}</p>
      {chats.value.size > 0 && (
        <div class="row wrap">
          {sure ? (
            <>
              <button type="button" class="danger" onClick={() => void deleteAll()}>{t("delete_all_sure")}</button>
              <button type="button" class="quiet" onClick={() => setSure(false)}>{t("cancel")}</button>
            </>
          ) : <button type="button" class="danger quiet" onClick={() => setSure(true)}>{t("delete_all")}</button>}
        </div>
      )}
      <h3 class="section">{t("more")}</h3>
      <div class="row wrap">
        <button type="button" class="quiet" onClick={() => { openDialog.value = "keys"; }}>{t("keys")}</button>
        {info.value?.needs_key && <button type="button" class="quiet" onClick={() => void signOut()}>{t("sign_out")}</button>}
      </div>
      <p class="small-print">{t("about", { version: info.value?.version ?? "" })}</p>
    </Dialog>
  );
}
