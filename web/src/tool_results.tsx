// What the model has called waits for its results: the user runs the tools, and types or pastes what they say.
import { useRef, useState } from "preact/hooks";
import { giveResults } from "./actions";
import { t } from "./i18n";
import { Icon } from "./icons";
import type { ToolCall } from "./types";

export function ToolResults({ calls }: { calls: ToolCall[] }) {
  const [texts, setTexts] = useState<Record<string, string>>({});
  const sending = useRef(false);
  const results = calls.map((call) => ({ call, text: texts[call.id] ?? "" }));
  const ready = results.every(({ text }) => text.trim() !== "");
  const send = async () => {
    if (!ready || sending.current) return;
    sending.current = true;
    await giveResults(results).finally(() => { sending.current = false; });
    document.querySelector<HTMLElement>("#composer-text")?.focus();
  };
  return (
    <form class="results" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <p class="note"><Icon name="tool" />{t("results_hint")}</p>
      {calls.map((call) => (
        <div class="field" key={call.id}>
          <label for={`result-${call.id}`}>{t("tool_result_of", { name: call.name })}</label>
          <textarea id={`result-${call.id}`} class="code" rows={3} dir="auto" spellcheck={false} value={texts[call.id] ?? ""}
            onInput={(event) => setTexts({ ...texts, [call.id]: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              void send();
            }} />
        </div>
      ))}
      <div class="row end"><button type="submit" class="primary" disabled={!ready}>{t("results_send", { n: calls.length })}</button></div>
    </form>
  );
}
