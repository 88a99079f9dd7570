// The branch that is shown. Messages far from the window stand as plain text until they come near; the browser skips
// their layout (content-visibility), so a long chat opens and scrolls like a short one.
import { useEffect, useErrorBoundary, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Empty } from "./empty";
import { t } from "./i18n";
import { Icon } from "./icons";
import { Answer, Pair, Question, ToolResult } from "./message";
import { answering, leaf, loadingChat, path, view } from "./store";
import { ToolResults } from "./tool_results";
import { openCalls } from "./tree";
import type { Message } from "./types";

const kNearAtOnce = 6;
const kNearMargin = "1500px 0px";

let observer: IntersectionObserver | null = null;
const onNear = new WeakMap<Element, () => void>();

function watchNear(element: Element, near: () => void): () => void {
  observer ??= new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      onNear.get(entry.target)?.();
      observer!.unobserve(entry.target);
    }
  }, { root: document.querySelector("#scroller"), rootMargin: kNearMargin });
  onNear.set(element, near);
  observer.observe(element);
  return () => observer?.unobserve(element);
}

function Content({ message }: { message: Message }) {
  const companions = view.value.tree.companions(message);
  if (companions.length > 1) return <Pair message={message} companions={companions} />;
  if (message.role === "user") return <Question message={message} />;
  return message.role === "tool" ? <ToolResult message={message} /> : <Answer message={message} />;
}

function Row({ message, nearAtOnce }: { message: Message; nearAtOnce: boolean }) {
  const host = useRef<HTMLElement>(null);
  const [near, setNear] = useState(nearAtOnce);
  // One message that cannot be drawn stands as plain text; the others do not go with it.
  const [broken] = useErrorBoundary((error) => console.warn(error));
  useEffect(() => (near ? undefined : watchNear(host.current!, () => setNear(true))), []);
  return (
    <article ref={host} class={`message ${message.role}${near ? "" : " far"}`} id={`message-${message.id}`}>
      {near && !broken ? <Content message={message} /> : <div class="raw">{message.text}</div>}
    </article>
  );
}

/** Keeps the end in sight while an answer grows, until the user scrolls away from it. */
function useFollowing(scroller: { current: HTMLDivElement | null }, messages: Message[]) {
  const following = useRef(true);
  const [away, setAway] = useState(false);
  const toEnd = () => {
    const s = scroller.current!;
    following.current = true;
    s.scrollTop = s.scrollHeight;
    setAway(false);
  };
  useEffect(() => {
    const s = scroller.current!;
    let last = s.scrollTop;
    const onScroll = () => {
      const gap = s.scrollHeight - s.scrollTop - s.clientHeight;
      if (s.scrollTop < last - 2) following.current = gap < 4;
      else if (gap < 40) following.current = true;
      last = s.scrollTop;
      setAway(gap > 300);
    };
    s.addEventListener("scroll", onScroll, { passive: true });
    const sizes = new ResizeObserver(() => {
      if (following.current) s.scrollTop = s.scrollHeight;
    });
    sizes.observe(s.firstElementChild!);
    sizes.observe(s);
    return () => {
      s.removeEventListener("scroll", onScroll);
      sizes.disconnect();
    };
  }, []);
  const last = messages.at(-1);
  const begin = () => {
    if (last) return toEnd();
    following.current = false;
    scroller.current!.scrollTop = 0;
  };
  useLayoutEffect(begin, [view.value.chat?.id, last?.role === "user" ? last.id : messages.at(-2)?.id]);
  return { away, toEnd };
}

export function Conversation() {
  const scroller = useRef<HTMLDivElement>(null);
  const messages = path.value;
  const calls = openCalls(messages);
  const { away, toEnd } = useFollowing(scroller, messages);
  leaf.value;
  return (
    <div class="conversation">
      <div id="scroller" ref={scroller} tabIndex={-1}>
        <div class={messages.some((m) => view.value.tree.companions(m).length > 1) ? "column with-pair" : "column"} aria-busy={answering.value}>
          {messages.length === 0 && !loadingChat.value && <Empty />}
          {messages.map((message, i) => (
            <Row key={message.id} message={message} nearAtOnce={i >= messages.length - kNearAtOnce} />
          ))}
          {calls.length > 0 && !answering.value && <ToolResults calls={calls} />}
        </div>
      </div>
      {away && messages.length > 0 && (
        <button type="button" class="to-end icon-button" aria-label={t("to_end")} title={t("to_end")} onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}
