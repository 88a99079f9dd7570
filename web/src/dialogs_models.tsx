// The models: what each weighs, needs and allows; choosing one, fetching one.
import { useState } from "preact/hooks";
import { call } from "./api";
import { Dialog, closeDialog } from "./dialog";
import { bytes, number, t } from "./i18n";
import { Icon } from "./icons";
import { notifyError } from "./notices";
import { chooseModel, downloadProblem, loadModels, modelName, models } from "./store";
import type { Model } from "./types";

function choose(model: Model): void {
  chooseModel(model.name);
  closeDialog();
}

async function change(path: string, body: unknown): Promise<void> {
  try {
    await call("POST", path, body);
    await loadModels();
  } catch (error) {
    notifyError(error);
  }
}

function Facts({ model }: { model: Model }) {
  const facts: string[] = [];
  if (model.parameters) facts.push(t("fact_parameters", { text: model.parameters }));
  if (model.quantisation) facts.push(model.quantisation);
  const size = model.bytes || model.download_bytes;
  if (size) facts.push(t("fact_size", { size: bytes(size) }));
  if (model.memory_bytes) facts.push(t("fact_memory", { size: bytes(model.memory_bytes) }));
  if (model.context) facts.push(t("fact_context", { n: model.context }));
  return (
    <p class="facts">
      {facts.map((fact) => <span key={fact}>{fact}</span>)}
      {model.licence?.id && (/^https?:/.test(model.licence.url ?? "")
        ? <a href={model.licence.url} target="_blank" rel="noopener noreferrer">{model.licence.id}</a>
        : <span>{model.licence.id}</span>)}
    </p>
  );
}

function Progress({ model }: { model: Model }) {
  const { state, done, total } = model.download!;
  const words = state === "waiting" ? t("download_waiting") : t("download_progress", { done: bytes(done), total: bytes(total) });
  return (
    <div class="progress">
      <progress max={total || undefined} value={total ? done : undefined} aria-label={words} />
      <span class="numbers">{words}</span>
      <button type="button" class="quiet small" onClick={() => void change("/ui/api/models/cancel", { name: model.name })}>{t("cancel")}</button>
    </div>
  );
}

function Fetch({ model }: { model: Model }) {
  const [asking, setAsking] = useState(false);
  const size = bytes(model.download_bytes || model.bytes);
  if (!asking) {
    const start = () => (model.licence?.accept ? setAsking(true) : void change("/ui/api/models/download", { name: model.name }));
    return <button type="button" class="quiet" onClick={start}><Icon name="download" />{t("download", { size })}</button>;
  }
  return (
    <div class="row wrap">
      <p class="note">{t("licence_ask", { licence: model.licence.id })}</p>
      <button type="button" class="primary" onClick={() => { setAsking(false); void change("/ui/api/models/download", { name: model.name, accept_licence: true }); }}>{t("licence_accept")}</button>
      <button type="button" class="quiet" onClick={() => setAsking(false)}>{t("cancel")}</button>
    </div>
  );
}

function Row({ model }: { model: Model }) {
  const usable = (model.served || model.stored) && model.chats;
  const chosen = model.name === modelName.value;
  const downloading = model.download?.state === "running" || model.download?.state === "waiting";
  const problem = model.download?.state === "error" ? model.download : null;
  return (
    <li class={chosen ? "model chosen" : "model"}>
      <div class="model-text">
        <h3>{model.name}{model.loaded && <span class="badge">{t("model_ready")}</span>}</h3>
        <Facts model={model} />
        {model.note && <p class="note">{model.note}</p>}
        {downloading && <Progress model={model} />}
        {problem && <p class={problem.code === "stopped" ? "note" : "note bad"} role="status">{downloadProblem(problem)}{problem.code === "stopped" ? "" : <span class="detail">{problem.message}</span>}</p>}
      </div>
      {usable
        ? <button type="button" class={chosen ? "quiet chosen-button" : "quiet"} aria-pressed={chosen} onClick={() => choose(model)}>{chosen && <Icon name="check" />}{t(chosen ? "model_chosen" : "model_choose")}</button>
        : !downloading && model.chats && <Fetch model={model} />}
    </li>
  );
}

export function ModelsDialog() {
  const here = models.value.filter((m) => m.chats && (m.served || m.stored));
  const there = models.value.filter((m) => m.chats && !(m.served || m.stored));
  return (
    <Dialog title={t("models")} kind="wide-dialog">
      <ul class="models" aria-label={t("models_here")}>{here.map((m) => <Row key={m.name} model={m} />)}</ul>
      {there.length > 0 && <h3 class="section">{t("models_there")}</h3>}
      {there.length > 0 && <ul class="models" aria-label={t("models_there")}>{there.map((m) => <Row key={m.name} model={m} />)}</ul>}
      {models.value.length === 0 && <p class="note">{t("models_none")}</p>}
      <p class="small-print">{t("models_count", { n: number(models.value.length) })}</p>
    </Dialog>
  );
}
