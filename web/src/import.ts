// Chats from a file. The server reads the formats (its own, ChatGPT's, llama.cpp's); a file that is too long for one
// request is an array of conversations and goes in parts.
import { request } from "./api";
import { t } from "./i18n";
import { notify, notifyError } from "./notices";
import { loadChats } from "./store";

const kPartMax = 12_000_000;

interface Imported {
  imported: number;
  skipped: number;
  failed: { title: string; reason: string }[];
}

/** Bodies of at most about `max` letters that together hold what `text` does. */
export function importParts(text: string, max = kPartMax): string[] {
  if (text.length <= max) return [text];
  const whole = JSON.parse(text) as unknown;
  const wrap = (items: unknown[]) => (Array.isArray(whole) ? JSON.stringify(items) : JSON.stringify({ ...(whole as object), chats: items }));
  const items = Array.isArray(whole) ? whole : (whole as { chats?: unknown[] }).chats;
  if (!Array.isArray(items)) return [text];
  const parts: string[] = [];
  let part: unknown[] = [];
  let size = 0;
  for (const item of items) {
    const length = JSON.stringify(item).length;
    if (size + length > max && part.length > 0) {
      parts.push(wrap(part));
      part = [];
      size = 0;
    }
    part.push(item);
    size += length;
  }
  parts.push(wrap(part));
  return parts;
}

export async function importFiles(files: File[]): Promise<void> {
  let imported = 0;
  let skipped = 0;
  const failed: Imported["failed"] = [];
  try {
    for (const file of files) {
      for (const part of importParts(await file.text())) {
        const answer = (await (await request("POST", "/ui/api/import", undefined, { raw: part })).json()) as Imported;
        imported += answer.imported;
        skipped += answer.skipped;
        failed.push(...(answer.failed ?? []));
      }
    }
    notify(`${t("imported", { n: imported })}${skipped > 0 ? ` ${t("import_skipped", { n: skipped })}` : ""}`);
    for (const { title, reason } of failed.slice(0, 2)) notify(t("import_failed", { title: title || t("untitled"), reason }), { kind: "error", ms: 15_000 });
    await loadChats();
  } catch (error) {
    if (error instanceof SyntaxError) notify(t("import_no_json"), { kind: "error" });
    else notifyError(error);
  }
}
