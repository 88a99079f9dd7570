// One message: the user's in a soft frame, the model's across the page with its reasoning, tool calls and footer.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { announce, announceLong, announceProgress } from "./announce";
import { ask, continueAnswer, regenerate, turnBranch } from "./actions";
import { copyText } from "./clipboard";
import { FrameDrawer } from "./frames";
import { number, plainName, seconds, t, type Key } from "./i18n";
import { Icon } from "./icons";
import { MarkdownView } from "./markdown_view";
import { onGrowth, showLeaf, view } from "./store";
import { editing } from "./state_of_hands";
import { TokensView } from "./tokens_view";
import type { Message, ToolCall } from "./types";

const words = (text: string) => text.split(/\s+/).filter(Boolean).length;

/** Text that may grow, drawn outside the component tree. */
function GrowingMarkdown({ message, part }: { message: Message; part: "text" | "reasoning" }) {
  const host = useRef<HTMLDivElement>(null);
  const drawing = useRef<MarkdownView | null>(null);
  useLayoutEffect(() => {
    drawing.current ??= new MarkdownView(host.current!);
    const draw = () => {
      const now = view.value.tree.get(message.id) ?? message;
      if (!drawing.current!.update(now[part] ?? "", now.state === "running")) drawer.request();
    };
    const drawer = new FrameDrawer(draw);
    draw();
    const stop = onGrowth(message.id, () => drawer.request());
    return () => {
      stop();
      drawer.stop();
    };
  }, [message, part]);
  return <div class="markdown" ref={host} />;
}

/** Says what a screen reader hears of a running answer: now and then its length, in the end all of it. */
function useAnnouncements(message: Message): void {
  const was = useRef<Message["state"]>(undefined);
  useEffect(() => {
    if (message.state === "running") {
      if (was.current !== "running") announce(t("answer_begins"));
      was.current = "running";
      return onGrowth(message.id, () => announceProgress(() => t("answer_grows", { n: words(view.value.tree.get(message.id)?.text ?? "") })));
    }
    if (was.current === "running") announceLong(`${t(message.state === "done" ? "answer_complete" : "answer_ended")} ${message.text}`);
    was.current = message.state;
    return undefined;
  }, [message]);
}

function Reasoning({ message, thinking }: { message: Message; thinking: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="bulb" />
        <span class={thinking ? "pulse" : ""}>{thinking ? t("thinking") : t("thoughts")}</span>
      </summary>
      {open && <GrowingMarkdown message={message} part="reasoning" />}
    </details>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const kBriefMax = 120;

function brief(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line === "{}" ? "" : line.slice(0, kBriefMax);
}

function ToolCalls({ calls }: { calls: ToolCall[] }) {
  return (
    <>
      {calls.map((call) => (
        <details class="fold" key={call.id}>
          <summary>
            <Icon name="tool" />
            <span>{t("tool_call", { name: call.name })}</span>
            <code class="brief">{brief(call.arguments)}</code>
          </summary>
          <pre class="tool-text" tabIndex={0}>{pretty(call.arguments)}</pre>
        </details>
      ))}
    </>
  );
}

/** Redraws the parts outside of the text when the first letters of a kind arrive. */
function useFirstGrowth(message: Message): void {
  const [, redraw] = useState("");
  useEffect(() => {
    if (message.state !== "running") return;
    return onGrowth(message.id, () => {
      const now = view.value.tree.get(message.id);
      if (now) redraw(`${now.text !== ""}${Boolean(now.reasoning)}${now.tool_calls?.length ?? 0}${(now.tool_calls ?? []).reduce((n, c) => n + c.arguments.length, 0)}`);
    });
  }, [message]);
}

const kNotes: Partial<Record<NonNullable<Message["state"]>, Key>> = {
  stopped: "note_stopped", length: "note_length", context: "note_context", interrupted: "note_interrupted", error: "note_error",
};

function Note({ message }: { message: Message }) {
  const key = message.state && kNotes[message.state];
  const dropped = message.usage?.dropped?.length ?? 0;
  return (
    <>
      {key && <p class={`note ${message.state === "error" ? "bad" : ""}`}>{t(key)}{message.error ? ` ${message.error}` : ""}</p>}
      {dropped > 0 && <p class="note">{t("note_dropped", { n: dropped })}</p>}
    </>
  );
}

function Branches({ message }: { message: Message }) {
  const siblings = view.value.tree.siblings(message);
  if (siblings.length < 2) return null;
  const at = siblings.findIndex((s) => s.id === message.id);
  return (
    <span class="branches" role="group" aria-label={t("branches")}>
      <button type="button" class="icon-button small" aria-label={t("branch_before")} title={t("branch_before")} disabled={at === 0} onClick={() => turnBranch(message, -1)}>
        <Icon name="left" />
      </button>
      <span class="numbers">{`${at + 1}/${siblings.length}`}</span>
      <button type="button" class="icon-button small" aria-label={t("branch_after")} title={t("branch_after")} disabled={at === siblings.length - 1} onClick={() => turnBranch(message, 1)}>
        <Icon name="right" />
      </button>
    </span>
  );
}

function Action({ icon, label, run }: { icon: Parameters<typeof Icon>[0]["name"]; label: string; run: (button: HTMLElement) => void }) {
  return (
    <button type="button" class="icon-button small" aria-label={label} title={label} onClick={(event) => run(event.currentTarget)}>
      <Icon name={icon} />
    </button>
  );
}

function Speed({ message }: { message: Message }) {
  const parts: string[] = [];
  const { timings, usage } = message;
  if (usage?.completion_tokens) parts.push(t("stat_tokens", { n: usage.completion_tokens }));
  if (timings?.tokens_per_s) parts.push(t("stat_speed", { speed: number(timings.tokens_per_s, timings.tokens_per_s < 10 ? 1 : 0) }));
  if (timings?.first_token_ms !== undefined) parts.push(t("stat_first", { time: seconds(timings.first_token_ms) }));
  return parts.length > 0 ? <span class="speed">{parts.join(" · ")}</span> : null;
}

const kGoesOn = new Set(["stopped", "length", "interrupted"]);

function AnswerFooter({ message, tokens, setTokens }: { message: Message; tokens: boolean; setTokens: (on: boolean) => void }) {
  const companions = view.value.tree.companions(message);
  return (
    <footer class="actions">
      <Branches message={message} />
      <Action icon="copy" label={t("copy_answer")} run={(button) => void copyText(message.text, button)} />
      <Action icon="retry" label={t("regenerate")} run={() => void regenerate(message, companions.length > 1 ? message.model : undefined)} />
      {kGoesOn.has(message.state ?? "") && <Action icon="forward" label={t("continue_answer")} run={() => void continueAnswer(message)} />}
      {!view.value.temporary && message.text !== "" && <Action icon="tokens" label={t(tokens ? "tokens_hide" : "tokens_show")} run={() => setTokens(!tokens)} />}
      <Speed message={message} />
    </footer>
  );
}

export function Answer({ message, heading }: { message: Message; heading?: boolean }) {
  const [tokens, setTokens] = useState(false);
  useAnnouncements(message);
  useFirstGrowth(message);
  const now = view.value.tree.get(message.id) ?? message;
  const running = message.state === "running";
  const waiting = running && now.text === "" && !now.reasoning && !now.tool_calls?.length;
  return (
    <>
      <h2 class={heading ? "model-name" : "off-screen"}>{plainName(message.model || t("the_model"))}</h2>
      {now.reasoning && <Reasoning message={message} thinking={running && now.text === ""} />}
      {tokens ? <TokensView message={message} close={() => setTokens(false)} /> : <GrowingMarkdown message={message} part="text" />}
      {waiting && <p class="waiting" aria-label={t("waiting")} role="img"><i /><i /><i /></p>}
      <ToolCalls calls={now.tool_calls ?? []} />
      <Note message={message} />
      {!running && <AnswerFooter message={message} tokens={tokens} setTokens={setTokens} />}
    </>
  );
}

function Editor({ message }: { message: Message }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(message.text);
  const fit = () => {
    area.current!.style.height = "auto";
    area.current!.style.height = `${area.current!.scrollHeight + 2}px`;
  };
  useEffect(() => {
    const a = area.current!;
    a.focus();
    a.setSelectionRange(a.value.length, a.value.length);
    fit();
  }, []);
  const close = () => {
    editing.value = null;
    document.querySelector<HTMLElement>("#composer-text")?.focus();
  };
  const send = async () => {
    if (text.trim() === "") return;
    const kept = view.value.temporary ? message.attachments ?? [] : (message.attachments ?? []).map((a, index) => ({ ...a, message: message.id, index }));
    if (await ask(message.parent, text, kept)) close();
  };
  return (
    <form class="editor" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <textarea
        ref={area}
        aria-label={t("edit_message")}
        value={text}
        onInput={(event) => { setText(event.currentTarget.value); fit(); }}
        onKeyDown={(event) => {
          if (event.key === "Escape") { event.stopPropagation(); close(); }
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); void send(); }
        }}
      />
      <p class="hint">{t("edit_hint")}</p>
      <div class="row end">
        <button type="button" class="quiet" onClick={close}>{t("cancel")}</button>
        <button type="submit" class="primary">{t("send")}</button>
      </div>
    </form>
  );
}

export function Question({ message }: { message: Message }) {
  const edited = editing.value === message.id;
  return (
    <>
      <h2 class="off-screen">{t("you")}</h2>
      {edited ? <Editor message={message} /> : (
        <div class="bubble">
          {(message.attachments ?? []).map((a, i) => (
            <p class="attachment" key={i}><Icon name="file" /><span>{plainName(a.name)}</span></p>
          ))}
          {message.text}
        </div>
      )}
      {!edited && (
        <footer class="actions">
          <Branches message={message} />
          <Action icon="copy" label={t("copy_message")} run={(button) => void copyText(message.text, button)} />
          <Action icon="edit" label={t("edit_message")} run={() => { editing.value = message.id; }} />
        </footer>
      )}
    </>
  );
}

export function ToolResult({ message }: { message: Message }) {
  const call = view.value.tree.callOf(message);
  return (
    <details class="fold">
      <summary>
        <Icon name="tool" />
        <span>{call ? t("tool_result_of", { name: call.name }) : t("tool_result")}</span>
        <code class="brief">{brief(message.text)}</code>
      </summary>
      <pre class="tool-text" tabIndex={0}>{pretty(message.text)}</pre>
    </details>
  );
}

/** Several models' answers to one question, side by side; the conversation goes on below the chosen one. */
export function Pair({ message, companions }: { message: Message; companions: Message[] }) {
  return (
    <div class="pair">
      {companions.map((companion) => (
        <section class={companion.id === message.id ? "side chosen" : "side"} key={companion.id} aria-label={companion.model}>
          <Answer message={companion} heading />
          {companion.id === message.id
            ? <p class="note">{t("pair_chosen")}</p>
            : <button type="button" class="quiet" onClick={() => showLeaf(view.value.tree.leafBelow(companion.id))}>{t("pair_choose")}</button>}
        </section>
      ))}
    </div>
  );
}
