// The system prompt and how words are drawn: of the open chat, or of the next ones. Presets keep a set by name.
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog";
import { Choice } from "./dialogs_settings";
import { t, type Key } from "./i18n";
import { preferences, setPreferences } from "./preferences";
import { changeSettings, view } from "./store";
import { kToolsExample, readTools } from "./tools";
import type { Settings, ToolChoice } from "./types";

type NumberName = "temperature" | "top_p" | "top_k" | "min_p" | "repetition_penalty" | "presence_penalty" | "frequency_penalty" | "max_tokens" | "seed";

const kNumbers: { name: NumberName; label: Key; hint: Key; min: number; max: number; step: number; slider: boolean }[] = [
  { name: "temperature", label: "set_temperature", hint: "hint_temperature", min: 0, max: 2, step: 0.05, slider: true },
  { name: "top_p", label: "set_top_p", hint: "hint_top_p", min: 0, max: 1, step: 0.01, slider: true },
  { name: "min_p", label: "set_min_p", hint: "hint_min_p", min: 0, max: 1, step: 0.01, slider: true },
  { name: "top_k", label: "set_top_k", hint: "hint_top_k", min: 0, max: 1000, step: 1, slider: false },
  { name: "repetition_penalty", label: "set_repetition", hint: "hint_repetition", min: 0.5, max: 2, step: 0.05, slider: false },
  { name: "presence_penalty", label: "set_presence", hint: "hint_presence", min: -2, max: 2, step: 0.1, slider: false },
  { name: "frequency_penalty", label: "set_frequency", hint: "hint_frequency", min: -2, max: 2, step: 0.1, slider: false },
  { name: "max_tokens", label: "set_max_tokens", hint: "hint_max_tokens", min: 1, max: 1_000_000, step: 1, slider: false },
  { name: "seed", label: "set_seed", hint: "hint_seed", min: 0, max: 4294967295, step: 1, slider: false },
];

const kBuiltIn: { label: Key; settings: Settings }[] = [
  { label: "preset_default", settings: {} },
  { label: "preset_exact", settings: { temperature: 0.1, top_p: 0.9 } },
  { label: "preset_free", settings: { temperature: 1.1, min_p: 0.05 } },
];

function NumberField({ row, settings, change }: { row: (typeof kNumbers)[number]; settings: Settings; change: (s: Settings) => void }) {
  const value = settings[row.name];
  const set = (text: string) => {
    const next = { ...settings };
    const number = Number(text);
    if (text === "" || !Number.isFinite(number)) delete next[row.name];
    else next[row.name] = Math.min(row.max, Math.max(row.min, number));
    change(next);
  };
  const id = `set-${row.name}`;
  return (
    <div class="field">
      <label for={id}>{t(row.label)}</label>
      <input id={id} type="number" inputMode="decimal" min={row.min} max={row.max} step={row.step} value={value ?? ""} placeholder={t("by_model")}
        aria-describedby={`${id}-hint`} onChange={(event) => set(event.currentTarget.value)} />
      {row.slider && <input type="range" min={row.min} max={row.max} step={row.step} value={value ?? (row.name === "min_p" ? 0 : 1)} aria-label={t(row.label)} onInput={(event) => set(event.currentTarget.value)} />}
      <p class="hint" id={`${id}-hint`}>{t(row.hint)}</p>
    </div>
  );
}

const kPauseMs = 300;

/** Keeps the last of many changes (a slider is dragged) after a pause, or when the dialog closes. */
function useKeeping(): (keep: () => void) => void {
  const waiting = useRef<{ keep: () => void; timer: ReturnType<typeof setTimeout> } | null>(null);
  const flush = () => {
    clearTimeout(waiting.current?.timer);
    waiting.current?.keep();
    waiting.current = null;
  };
  useEffect(() => flush, []);
  return (keep) => {
    clearTimeout(waiting.current?.timer);
    waiting.current = { keep, timer: setTimeout(flush, kPauseMs) };
  };
}

const kToolChoices: [ToolChoice, Key][] = [["auto", "tools_auto"], ["required", "tools_required"], ["none", "tools_none"]];

/** The functions that the model may call, as JSON; what cannot be read is said and changes nothing. */
function ToolsField({ settings, change }: { settings: Settings; change: (s: Settings) => void }) {
  const [text, setText] = useState(settings.tools?.length ? JSON.stringify(settings.tools, null, 2) : "");
  const [openAtFirst] = useState(text !== "");
  const { tools, problem } = readTools(text);
  const set = (next: string) => {
    setText(next);
    const read = readTools(next);
    if (read.problem) return;
    const { tools: _, tool_choice, ...others } = settings;
    change(read.tools.length > 0 ? { ...others, tools: read.tools, ...(tool_choice ? { tool_choice } : {}) } : others);
  };
  return (
    <details class="tools-field" open={openAtFirst}>
      <summary class="section">{t("tools")}{tools.length > 0 && <span class="badge">{t("tools_count", { n: tools.length })}</span>}</summary>
      <p class="hint" id="set-tools-hint">{t("tools_hint")}</p>
      <textarea id="set-tools" class="code" rows={8} spellcheck={false} value={text} aria-label={t("tools")} aria-invalid={problem !== null} aria-describedby="set-tools-hint set-tools-problem"
        placeholder={t("tools_placeholder")} onInput={(event) => set(event.currentTarget.value)} />
      <p class="note bad" id="set-tools-problem" role="alert">{problem && t(problem.key, problem.values)}</p>
      {text === "" && <button type="button" class="quiet" onClick={() => set(JSON.stringify(kToolsExample, null, 2))}>{t("tools_example")}</button>}
      {tools.length > 0 && <Choice name="tool-choice" label={t("tools_choice")} value={settings.tool_choice ?? "auto"} options={kToolChoices.map(([value, key]) => [value, t(key)])}
        choose={(tool_choice) => change({ ...settings, tool_choice })} />}
    </details>
  );
}

export function ControlsDialog() {
  const { chat } = view.value;
  const [settings, setSettings] = useState<Settings>(chat?.settings ?? preferences.value.settings);
  const [system, setSystem] = useState(chat?.system ?? preferences.value.system);
  const [name, setName] = useState("");
  const keepLater = useKeeping();
  const apply = (next: Settings, nextSystem: string) => {
    setSettings(next);
    setSystem(nextSystem);
    keepLater(() => {
      if (chat) changeSettings(next, nextSystem);
      else setPreferences({ settings: next, system: nextSystem });
    });
  };
  const presets = preferences.value.presets;
  // A preset is a way to answer; the tools of the chat stay.
  const use = (preset: Settings, presetSystem: string) => {
    const { tools, tool_choice } = settings;
    apply({ ...preset, ...(tools ? { tools } : {}), ...(tool_choice ? { tool_choice } : {}) }, presetSystem);
  };
  const save = () => {
    const { model: _, tools: _tools, tool_choice: _choice, ...kept } = settings;
    setPreferences({ presets: [...presets.filter((p) => p.name !== name.trim()), { name: name.trim(), settings: kept, system }] });
    setName("");
  };
  return (
    <Dialog title={t("controls")} kind="drawer">
      <p class="note">{t(chat ? "controls_chat" : "controls_new")}</p>
      <div class="field">
        <label for="system-prompt">{t("system_prompt")}</label>
        <textarea id="system-prompt" rows={5} value={system} placeholder={t("system_hint")} onInput={(event) => setSystem(event.currentTarget.value)} onChange={(event) => apply(settings, event.currentTarget.value)} />
      </div>
      <h3 class="section">{t("presets")}</h3>
      <div class="row wrap chips">
        {kBuiltIn.map((preset) => <button type="button" class="chip" key={preset.label} onClick={() => use(preset.settings, system)}>{t(preset.label)}</button>)}
        {presets.map((preset) => (
          <span class="chip-pair" key={preset.name}>
            <button type="button" class="chip" onClick={() => use(preset.settings, preset.system || system)}>{preset.name}</button>
            <button type="button" class="chip" aria-label={t("preset_delete", { name: preset.name })} onClick={() => setPreferences({ presets: presets.filter((p) => p !== preset) })}>×</button>
          </span>
        ))}
      </div>
      <form class="row" onSubmit={(event) => { event.preventDefault(); if (name.trim()) save(); }}>
        <input type="text" aria-label={t("preset_name")} placeholder={t("preset_name")} maxLength={60} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        <button type="submit" class="quiet" disabled={name.trim() === ""}>{t("save")}</button>
      </form>
      <h3 class="section">{t("sampling")}</h3>
      <label class="check">
        <input type="checkbox" checked={settings.thinking !== false} onChange={(event) => {
          const next = { ...settings };
          if (event.currentTarget.checked) delete next.thinking;
          else next.thinking = false;
          apply(next, system);
        }} />
        {t("set_thinking")}
      </label>
      <div class="fields">
        {kNumbers.map((row) => <NumberField key={row.name} row={row} settings={settings} change={(next) => apply(next, system)} />)}
      </div>
      <div class="field">
        <label for="set-stop">{t("set_stop")}</label>
        <input id="set-stop" type="text" value={(settings.stop ?? []).join(", ")} aria-describedby="set-stop-hint" onChange={(event) => {
          const stop = event.currentTarget.value.split(",").map((s) => s.trim()).filter(Boolean).slice(0, 8);
          const next = { ...settings, stop };
          if (stop.length === 0) delete (next as Settings).stop;
          apply(next, system);
        }} />
        <p class="hint" id="set-stop-hint">{t("hint_stop")}</p>
      </div>
      <ToolsField settings={settings} change={(next) => apply(next, system)} />
    </Dialog>
  );
}
