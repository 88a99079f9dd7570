// What stands in the composer, kept for each chat in this browser until it is sent.
import { effect, signal } from "@preact/signals";
import { view } from "./store";
import type { Attachment } from "./types";

export const draft = signal("");
export const attached = signal<Attachment[]>([]);

const kPrefix = "rival.draft.";
let place: string | null = null;

const placeOf = () => kPrefix + (view.value.chat?.id ?? (view.value.temporary ? "temporary" : "new"));

function read(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function write(key: string, text: string): void {
  try {
    const storage = key.endsWith("temporary") ? sessionStorage : localStorage;
    if (text === "") storage.removeItem(key);
    else storage.setItem(key, text);
  } catch {
    // A full or closed storage loses nothing that is on the page.
  }
}

export function keepDrafts(): void {
  effect(() => {
    const next = placeOf();
    if (next === place) return;
    const before = place;
    place = next;
    if (before !== null && view.value.begun) {
      write(before, "");
      return write(next, draft.peek());
    }
    draft.value = read(next);
    attached.value = [];
  });
  effect(() => {
    const text = draft.value;
    if (place !== null) write(place, text);
  });
}
