// Keys of the whole page. Those of the composer and of dialogs are theirs.
import { stop } from "./actions";
import { openDialog } from "./dialog";
import { narrow, toggleSidebar } from "./sidebar";
import { keyNeeded, newChat, sidebarOpen } from "./store";

function act(event: KeyboardEvent): boolean {
  const mod = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (mod && !event.shiftKey && key === "k") openDialog.value = openDialog.value === "search" ? null : "search";
  else if (mod && event.shiftKey && key === "o") {
    openDialog.value = null;
    newChat();
    document.querySelector<HTMLElement>("#composer-text")?.focus();
  } else if (mod && !event.shiftKey && key === "b") toggleSidebar();
  else if (event.ctrlKey && (key === "/" || event.code === "Slash")) openDialog.value = openDialog.value === "keys" ? null : "keys";
  else if (key === "escape" && openDialog.value === null) {
    if (narrow() && sidebarOpen.value) sidebarOpen.value = false;
    else void stop();
  } else return false;
  return true;
}

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (!keyNeeded.value && !event.defaultPrevented && act(event) && event.key !== "Escape") event.preventDefault();
  });
}
