// Short notices at the foot of the page, some with something to do (undo).
import { signal } from "@preact/signals";
import { announce } from "./announce";
import { errorKey } from "./api";
import { t } from "./i18n";

export interface Notice {
  id: number;
  text: string;
  kind: "plain" | "error";
  action?: { label: string; run: () => void };
}

export const notices = signal<Notice[]>([]);
let last = 0;

export function notify(text: string, options: { kind?: Notice["kind"]; action?: Notice["action"]; ms?: number } = {}): void {
  const notice: Notice = { id: ++last, text, kind: options.kind ?? "plain", action: options.action };
  notices.value = [...notices.value.filter((n) => n.text !== text).slice(-2), notice];
  announce(text);
  setTimeout(() => dismiss(notice.id), options.ms ?? 7000);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((n) => n.id !== id);
}

export function notifyError(error: unknown): void {
  const key = errorKey(error);
  notify(key ? t(key) : error instanceof Error ? error.message : String(error), { kind: "error", ms: 10_000 });
}
