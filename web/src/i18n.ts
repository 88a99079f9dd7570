// Words of the page, in English and German. No file but the two tables holds any.
import { signal } from "@preact/signals";
import { de } from "./strings_de";
import { en } from "./strings_en";

export type Key = keyof typeof en;
export type Language = "en" | "de";

const kTables: Record<Language, Record<Key, string>> = { en, de };

export const language = signal<Language>(browserLanguage());

export function browserLanguage(): Language {
  return typeof navigator !== "undefined" && navigator.language?.startsWith("de") ? "de" : "en";
}

const kTurning = /[\u202A-\u202E\u2066-\u2069]|\p{Cc}/gu;

/** A name from elsewhere, of a file, a chat, a tool: marks that would turn the letters around it are shown instead. */
export const plainName = (name: string): string => name.replace(/\s+/g, " ").replace(kTurning, "\uFFFD");

/** The words for `key`; {name} is replaced; "one|many" is chosen by `n`. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  let text = kTables[language.value][key];
  const forms = text.split("|");
  if (forms.length === 2 && "n" in values) text = values.n === 1 ? forms[0] : forms[1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number(value) : plainName(value);
  });
}

export function number(value: number, digits = value < 10 && value % 1 !== 0 ? 1 : 0): string {
  return value.toLocaleString(language.value, { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

export function bytes(value: number): string {
  if (value >= 1e9) return `${number(value / 1e9, 1)} GB`;
  if (value >= 1e6) return `${number(value / 1e6)} MB`;
  return value >= 1e3 ? `${number(value / 1e3)} kB` : `${number(value)} B`;
}

export function seconds(ms: number): string {
  return `${number(ms / 1000, ms < 10_000 ? 2 : 0)} s`;
}

export function date(ms: number): string {
  return new Date(ms).toLocaleDateString(language.value, { year: "numeric", month: "short", day: "numeric" });
}
