// Notices, on the page or, while a dialog is open, in it: everything outside of a dialog cannot be reached.
import { t } from "./i18n";
import { Icon } from "./icons";
import { dismiss, notices } from "./notices";

export function Notices() {
  return (
    <aside class="notices" aria-label={t("notices")}>
      {notices.value.map((notice) => (
        <div class={`notice ${notice.kind}`} key={notice.id}>
          <span>{notice.text}</span>
          {notice.action && <button type="button" onClick={() => { notice.action!.run(); dismiss(notice.id); }}>{notice.action.label}</button>}
          <button type="button" class="icon-button small" aria-label={t("close")} onClick={() => dismiss(notice.id)}><Icon name="close" /></button>
        </div>
      ))}
    </aside>
  );
}
