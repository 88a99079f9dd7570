// Files become text on the server and travel with the message.
import { signal } from "@preact/signals";
import { announce } from "./announce";
import { request } from "./api";
import { attached } from "./draft";
import { t } from "./i18n";
import { notify, notifyError } from "./notices";
import { modelName } from "./store";
import type { Attachment } from "./types";

const kBytesMax = 16 * 1024 * 1024;
const kPastedMin = 4_000;

export const attaching = signal(0);

export async function attachFiles(files: Iterable<File>): Promise<void> {
  for (const file of files) {
    if (file.size > kBytesMax) {
      notify(t("file_too_large", { name: file.name }), { kind: "error" });
      continue;
    }
    ++attaching.value;
    try {
      const query = new URLSearchParams({ name: file.name, model: modelName.value });
      const response = await request("POST", `/ui/api/attachments?${query}`, undefined, { raw: file });
      const attachment = (await response.json()) as Attachment;
      attached.value = [...attached.value, attachment];
      announce(t("file_attached", { name: attachment.name }));
    } catch (error) {
      notifyError(error);
    } finally {
      --attaching.value;
    }
  }
}

/** Files from the clipboard, and a very long text as a file of its own. */
export function attachPasted(event: ClipboardEvent): void {
  const data = event.clipboardData;
  if (!data) return;
  const files = [...data.files];
  const text = data.getData("text/plain");
  if (files.length === 0 && text.length > kPastedMin) files.push(new File([text], t("pasted_name"), { type: "text/plain" }));
  if (files.length === 0) return;
  event.preventDefault();
  void attachFiles(files);
}
