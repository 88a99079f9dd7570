// Search over all messages, and the list of keys.
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "./api";
import { Dialog, closeDialog } from "./dialog";
import { date, plainName, t, type Key } from "./i18n";
import { notifyError } from "./notices";
import { chats, openChat } from "./store";
import type { SearchHit } from "./types";

const kPauseMs = 150;

function Snippet({ pieces }: { pieces: string[] }) {
  return <span class="snippet" dir="auto">{pieces.map((piece, i) => (i % 2 === 1 ? <mark key={i}>{piece}</mark> : piece))}</span>;
}

export function SearchDialog() {
  const [text, setText] = useState("");
  const [hits, setHits] = useState<SearchHit[] | null>(null);
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (text.trim() === "") return setHits(null);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call<{ hits: SearchHit[] }>("GET", `/ui/api/search?limit=30&q=${encodeURIComponent(text)}`, undefined, abort.signal).then((answer) => {
        setHits(answer.hits);
        setAt(0);
      }, (error) => {
        if (!abort.signal.aborted) notifyError(error);
      });
    }, kPauseMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  const recent: SearchHit[] = [...chats.value.values()].sort((a, b) => b.updated - a.updated).slice(0, 8)
    .map((chat) => ({ chat, message: null, role: "", snippet: [] }));
  const shown = hits ?? recent;
  const go = (hit: SearchHit | undefined) => {
    if (!hit) return;
    closeDialog();
    void openChat(hit.chat.id, { at: hit.message ?? undefined }).then(() => {
      if (hit.message !== null) document.querySelector(`#message-${hit.message}`)?.scrollIntoView({ block: "center" });
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = Math.max(0, Math.min(shown.length - 1, at + step));
      setAt(next);
      list.current?.children[next]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") go(shown[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t("search")} kind="search-dialog">
      <input type="text" role="combobox" aria-expanded="true" aria-controls="hits" aria-activedescendant={shown.length > 0 ? `hit-${at}` : undefined}
        aria-label={t("search")} placeholder={t("search_hint")} value={text} data-focus onInput={(event) => setText(event.currentTarget.value)} onKeyDown={onKeyDown} />
      <p class="off-screen" role="status">{hits ? t("search_count", { n: hits.length }) : ""}</p>
      {hits?.length === 0 && <p class="note">{t("search_none")}</p>}
      <ul id="hits" class="hits" role="listbox" aria-label={t("search_results")} ref={list}>
        {shown.map((hit, i) => (
          <li key={i} id={`hit-${i}`} role="option" aria-selected={i === at} onClick={() => go(hit)} onPointerMove={() => setAt(i)}>
            <span class="row"><b class="title" dir="auto">{plainName(hit.chat.title) || t("untitled")}</b><span class="when">{date(hit.chat.updated)}</span></span>
            {hit.snippet.length > 0 && <Snippet pieces={hit.snippet} />}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

const apple = () => /Mac|iPhone|iPad/.test(navigator.platform);

const kKeys: [string[], Key][] = [
  [["Enter"], "key_send"], [["Shift", "Enter"], "key_line"], [["Esc"], "key_escape"], [["↑"], "key_edit"],
  [["Mod", "K"], "key_search"], [["Mod", "Shift", "O"], "key_new"], [["Mod", "B"], "key_sidebar"], [["Ctrl", "/"], "key_list"],
];

export function KeysDialog() {
  return (
    <Dialog title={t("keys")} kind="small-dialog">
      <dl class="keys">
        {kKeys.map(([keys, what]) => (
          <div key={what}>
            <dt>{keys.map((k) => <kbd key={k}>{k === "Mod" ? (apple() ? "⌘" : "Ctrl") : k}</kbd>)}</dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
