// Dialogs are the browser's own: focus stays inside, Esc closes, and focus returns to where it was.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "./i18n";
import { Icon } from "./icons";
import { Notices } from "./notices_view";

export type DialogName = "search" | "keys" | "models" | "settings" | "controls" | "chat" | "share";

export const openDialog = signal<DialogName | null>(null);

export function closeDialog(): void {
  openDialog.value = null;
}

interface Props {
  title: string;
  kind?: string;
  onClose?: () => void;
  locked?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, kind = "", onClose = closeDialog, locked = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const mine = dialog.current!;
    mine.showModal();
    mine.querySelector<HTMLElement>("[data-focus]")?.focus();
    return () => {
      mine.close();  // while it is open everything else refuses the focus
      if (before?.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${kind}`}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        if (!locked) onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current && !locked) onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          {!locked && (
            <button type="button" class="icon-button" aria-label={t("close")} onClick={onClose}>
              <Icon name="close" />
            </button>
          )}
        </header>
        {children}
      </div>
      <Notices />
    </dialog>
  );
}
