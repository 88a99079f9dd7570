// What the user is doing right now, seen by more than one part of the page.
import { signal } from "@preact/signals";

/** The id of the message that is being edited. */
export const editing = signal<number | null>(null);
