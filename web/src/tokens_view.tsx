// An answer token by token: how sure the model was, and what else it could have said.
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "./api";
import { number, t } from "./i18n";
import { notifyError } from "./notices";
import type { Message, Token } from "./types";

const percent = (logprob: number) => `${number(Math.exp(logprob) * 100, Math.exp(logprob) < 0.1 ? 1 : 0)} %`;
const shown = (text: string) => (text === "" ? "∅" : text.replace(/\n/g, "⏎").replace(/^ | $/g, "␣"));

// Five shades, from sure to surprised.
function shade(logprob: number): string {
  const p = Math.exp(logprob);
  return `shade-${p > 0.9 ? 0 : p > 0.6 ? 1 : p > 0.3 ? 2 : p > 0.1 ? 3 : 4}`;
}

export function TokensView({ message, close }: { message: Message; close: () => void }) {
  const [tokens, setTokens] = useState<Token[] | null>(null);
  const [at, setAt] = useState(0);
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    call<{ tokens: Token[] }>("GET", `/ui/api/messages/${message.id}/tokens`).then((answer) => setTokens(answer.tokens), (error) => {
      notifyError(error);
      close();
    });
  }, [message.id]);
  if (!tokens) return <p class="note">{t("loading")}</p>;
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(tokens.length - 1, at + step)));
  };
  const token = tokens[at];
  return (
    <div class="tokens">
      <div class="token-text" ref={host} tabIndex={0} role="group" aria-label={t("tokens_hint")} onKeyDown={move}
        onPointerOver={(event) => {
          const index = (event.target as HTMLElement).dataset.index;
          if (index !== undefined) setAt(Number(index));
        }}>
        {tokens.map((one, i) => <span key={i} data-index={i} class={`${shade(one.logprob)}${i === at ? " current" : ""}`}>{one.text}</span>)}
      </div>
      {token && (
        <div class="alternatives" aria-live="polite">
          <p><code>{shown(token.text)}</code> <b>{percent(token.logprob)}</b></p>
          <ol aria-label={t("alternatives")}>
            {token.top.map((other, i) => (
              <li key={i} class={other.text === token.text ? "taken" : ""}>
                <code>{shown(other.text)}</code> <span>{percent(other.logprob)}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </div>
  );
}
