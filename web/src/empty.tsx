// Before the first word: the mark, a greeting and a few ways to begin.
import { t, type Key } from "./i18n";
import { Mark } from "./icons";
import { draft } from "./draft";
import { view } from "./store";

const kBeginnings: Key[] = ["begin_explain", "begin_write", "begin_code", "begin_plan"];

export function Empty() {
  const { temporary } = view.value;
  return (
    <div class="empty">
      <Mark large />
      <h1>{t(temporary ? "greeting_temporary" : "greeting")}</h1>
      <p>{t(temporary ? "greeting_temporary_more" : "greeting_more")}</p>
      <ul class="beginnings">
        {kBeginnings.map((key) => (
          <li key={key}>
            <button type="button" onClick={() => {
              draft.value = t(key);
              document.querySelector<HTMLElement>("#composer-text")?.focus();
            }}>{t(key)}</button>
          </li>
        ))}
      </ul>
    </div>
  );
}
