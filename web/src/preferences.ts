// What the user has set. Kept by the server for each key, and in this browser so that the first paint is right.
import { effect, signal } from "@preact/signals";
import { call } from "./api";
import { browserLanguage, language, type Language } from "./i18n";
import type { Settings } from "./types";

export type Theme = "auto" | "light" | "dark";

export interface Preset {
  name: string;
  settings: Settings;
  system: string;
}

export interface Preferences {
  theme: Theme;
  language: Language | "auto";
  model: string;
  system: string;
  settings: Settings;
  presets: Preset[];
  sidebar: boolean;
}

const kStorage = "rival.preferences";
const kDefault: Preferences = { theme: "auto", language: "auto", model: "", system: "", settings: {}, presets: [], sidebar: true };

function known(value: unknown): Preferences {
  const given = (typeof value === "object" && value !== null ? value : {}) as Partial<Preferences>;
  const merged = { ...kDefault, ...given };
  return { ...merged, presets: Array.isArray(merged.presets) ? merged.presets : [], settings: merged.settings ?? {} };
}

function stored(): Preferences {
  try {
    return known(JSON.parse(localStorage.getItem(kStorage) ?? "{}"));
  } catch {
    return kDefault;
  }
}

export const preferences = signal<Preferences>(stored());

let timer: ReturnType<typeof setTimeout> | undefined;

export function setPreferences(change: Partial<Preferences>): void {
  preferences.value = { ...preferences.value, ...change };
  clearTimeout(timer);
  timer = setTimeout(() => void call("PUT", "/ui/api/preferences", preferences.value).catch(() => undefined), 300);
}

export async function loadPreferences(): Promise<void> {
  const value = await call<Partial<Preferences>>("GET", "/ui/api/preferences");
  if (Object.keys(value).length > 0) preferences.value = known({ ...value, sidebar: preferences.value.sidebar });
}

export function applyPreferences(): void {
  effect(() => {
    const { theme, language: wanted } = preferences.value;
    language.value = wanted === "auto" ? browserLanguage() : wanted;
    const root = document.documentElement;
    root.lang = language.value;
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      localStorage.setItem(kStorage, JSON.stringify(preferences.value));
    } catch {
      // A browser that keeps nothing still works.
    }
  });
}
