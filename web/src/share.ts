// A conversation as Markdown: to copy, or as a file to give away.
import { copyText } from "./clipboard";
import { t } from "./i18n";
import { path, view } from "./store";
import type { Message } from "./types";

function section(message: Message): string {
  const who = message.role === "user" ? t("you") : message.model || t("the_model");
  const files = (message.attachments ?? []).map((a) => `*${a.name}*\n\n`).join("");
  return `## ${who}\n\n${files}${message.text.trim()}\n`;
}

export function conversationText(title: string, messages: Message[]): string {
  return `# ${title}\n\n${messages.filter((m) => m.role !== "tool").map(section).join("\n")}`;
}

const titleNow = () => view.value.chat?.title || t("untitled");

export function copyConversation(): void {
  void copyText(conversationText(titleNow(), path.value));
}

export function saveConversation(): void {
  const name = titleNow().replace(/[^\p{L}\p{N} _-]+/gu, "").replace(/ +/g, " ").trim().slice(0, 60) || t("untitled");
  const address = URL.createObjectURL(new Blob([conversationText(titleNow(), path.value)], { type: "text/markdown" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${name}.md`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
