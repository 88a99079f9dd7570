// Where the user writes: text, files, the models that answer, and how full the context is.
import { useEffect, useRef } from "preact/hooks";
import { ask, lastUserMessage, rivalModel, stop } from "./actions";
import { attachFiles, attachPasted, attaching } from "./attach";
import { openDialog } from "./dialog";
import { attached, draft } from "./draft";
import { gauge } from "./gauge";
import { number, plainName, t } from "./i18n";
import { Icon } from "./icons";
import { Menu } from "./menu";
import { editing } from "./state_of_hands";
import { preferences } from "./preferences";
import { answering, leaf, modelName, models, view } from "./store";

const kHeightMax = 0.4;  // of the window

function fit(area: HTMLTextAreaElement): void {
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, innerHeight * kHeightMax)}px`;
}

async function send(): Promise<void> {
  const text = draft.value;
  const files = attached.value;
  if ((text.trim() === "" && files.length === 0) || answering.value || attaching.value > 0) return;
  draft.value = "";
  attached.value = [];
  if (await ask(leaf.value, text, files)) return;
  draft.value = draft.value === "" ? text : `${text}\n${draft.value}`;
  attached.value = [...files, ...attached.value];
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    void send();
  }
  if (event.key === "ArrowUp" && draft.value === "" && !answering.value) {
    const last = lastUserMessage();
    if (!last) return;
    event.preventDefault();
    editing.value = last.id;
  }
}

function Gauge() {
  const count = gauge.value;
  if (!count || !count.context) return null;
  const full = Math.min(1, count.tokens / count.context);
  const words = t("gauge", { tokens: number(count.tokens), context: number(count.context) });
  const level = count.dropped.length > 0 || full > 0.95 ? "full" : full > 0.75 ? "high" : "";
  return (
    <span class={`gauge ${level}`} role="img" aria-label={words} title={words}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="7" pathLength="100" />
        <circle class="used" cx="10" cy="10" r="7" pathLength="100" stroke-dasharray={`${full * 100} 100`} transform="rotate(-90 10 10)" />
      </svg>
      <span class="numbers" aria-hidden="true">{number(count.tokens)}</span>
    </span>
  );
}

function Files() {
  if (attached.value.length === 0 && attaching.value === 0) return null;
  return (
    <ul class="files" aria-label={t("attachments")}>
      {attached.value.map((file, i) => (
        <li key={i}>
          <Icon name="file" />
          <span class="name">{plainName(file.name)}</span>
          <span class="numbers">{t("stat_tokens", { n: file.tokens ?? 0 })}</span>
          <button type="button" class="icon-button small" aria-label={t("remove_file", { name: file.name })} onClick={() => { attached.value = attached.value.filter((f) => f !== file); }}>
            <Icon name="close" />
          </button>
        </li>
      ))}
      {attaching.value > 0 && <li class="pulse">{t("reading_file")}</li>}
    </ul>
  );
}

function Compare() {
  const others = models.value.filter((m) => (m.served || m.stored) && m.chats && m.name !== modelName.value);
  if (others.length === 0 || view.value.temporary) return null;
  const items = () => [
    { label: t("compare_none"), checked: rivalModel.value === "", run: () => { rivalModel.value = ""; } },
    ...others.map((m) => ({ label: m.name, checked: rivalModel.value === m.name, run: () => { rivalModel.value = m.name; } })),
  ];
  return (
    <Menu label={rivalModel.value ? `${t("compare")}: ${rivalModel.value}` : t("compare")} items={items} up class={rivalModel.value ? "icon-button on" : "icon-button"}>
      <Icon name="columns" />
      {rivalModel.value && <span class="compare-name">{rivalModel.value}</span>}
    </Menu>
  );
}

function Controls() {
  const tools = (view.value.chat?.settings ?? preferences.value.settings).tools?.length ?? 0;
  const label = tools > 0 ? `${t("controls")}: ${t("tools_count", { n: tools })}` : t("controls");
  return (
    <button type="button" class={tools > 0 ? "icon-button on" : "icon-button"} aria-label={label} title={label} onClick={() => { openDialog.value = "controls"; }}>
      <Icon name="sliders" />
    </button>
  );
}

export function Composer() {
  const area = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  useEffect(() => fit(area.current!), [draft.value]);
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) area.current!.focus();
  }, [view.value.chat?.id, view.value.temporary]);
  const dropped = gauge.value?.dropped.length ?? 0;
  const ready = (draft.value.trim() !== "" || attached.value.length > 0) && attaching.value === 0;
  return (
    <form class="composer" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      {dropped > 0 && <p class="note warn">{t("gauge_full", { n: dropped })}</p>}
      <div class="composer-card">
        <Files />
        <textarea
          id="composer-text"
          ref={area}
          rows={1}
          dir="auto"
          aria-label={t("composer")}
          placeholder={t("composer")}
          value={draft.value}
          onInput={(event) => { draft.value = event.currentTarget.value; }}
          onKeyDown={onKeyDown}
          onPaste={attachPasted}
        />
        <div class="row tools">
          <button type="button" class="icon-button" aria-label={t("attach")} title={t("attach")} onClick={() => picker.current!.click()}>
            <Icon name="attach" />
          </button>
          <input ref={picker} type="file" multiple hidden onChange={(event) => {
            void attachFiles([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }} />
          <Controls />
          <Compare />
          <span class="space" />
          <Gauge />
          {answering.value
            ? <button type="button" class="send" aria-label={t("stop")} title={t("stop")} onClick={() => void stop()}><Icon name="stop" /></button>
            : <button type="submit" class="send" aria-label={t("send")} title={t("send")} disabled={!ready}><Icon name="send" /></button>}
        </div>
      </div>
      <p class="small-print">{t("small_print")}</p>
    </form>
  );
}
