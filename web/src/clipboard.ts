import { announce } from "./announce";
import { t } from "./i18n";

/** Copies and says so, on the button and to a screen reader. Works without HTTPS too, where browsers lack the API. */
export async function copyText(text: string, button?: HTMLElement): Promise<void> {
  const done = await written(text);
  announce(t(done ? "copied" : "copy_failed"));
  if (!button) return;
  button.dataset.state = done ? "done" : "failed";
  if (button.childElementCount === 0) button.textContent = t(done ? "copied" : "copy_failed");
  setTimeout(() => {
    delete button.dataset.state;
    if (button.childElementCount === 0) button.textContent = t("copy");
  }, 1600);
}

async function written(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "off-screen";
    const focused = document.activeElement as HTMLElement | null;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}
