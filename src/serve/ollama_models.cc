// The routes of Ollama's API about models: version, tags, show, ps; and those that change models, which are refused.
#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/sha256.h"
#include "model/source.h"
#include "serve/fields.h"
#include "serve/ollama_request.h"
#include "serve/rfc3339.h"
#include "serve/service.h"

namespace rival::serve {
namespace {

using Exchange = std::shared_ptr<http::Exchange>;

// Which version of the API this is: clients look for the features of theirs.
constexpr std::string_view kVersion = "0.12.6";

// Numbers of a model's weights, as people count them: "135M".
std::string parameters_text(uint64_t count) {
  if (count >= 1'000'000'000) return fmt::format("{:.1f}B", static_cast<double>(count) / 1e9);
  return fmt::format("{:.2f}M", static_cast<double>(count) / 1e6);
}

uint64_t parameters(const ServedModel& model) {
  const engine::MatrixCounts& counts = model.loaded().matrices();
  return counts.per_token + counts.head;
}

// All of them, those of experts that are not in use too.
uint64_t parameters(const model::ModelSource& source) {
  uint64_t count = 0;
  const auto add = [&](const MatrixView& m) { count += m.rows * m.cols; };
  for (const model::LayerSource& layer : source.layers) {
    for (const MatrixView* m : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down, &layer.router}) add(*m);
    for (const auto* experts : {&layer.expert_gate, &layer.expert_up, &layer.expert_down})
      for (const MatrixView& m : *experts) add(m);
  }
  for (const MatrixView* m : {&source.token_embedding, &source.position_embedding, &source.type_embedding, &source.output}) add(*m);
  return count;
}

json::object details_json(const std::string& family, const std::string& size, const std::string& type) {
  json::array families;
  if (!family.empty()) families.emplace_back(family);
  return {{"parent_model", ""}, {"format", "gguf"}, {"family", family}, {"families", std::move(families)}, {"parameter_size", size}, {"quantization_level", type}};
}

json::object details(const ServedModel& model) {
  return details_json(model.config().architecture, parameters_text(parameters(model)), model.loaded().weights_type());
}

// What the file hashes to, where some store knows; else a hash of the name, which stays the same too.
std::string digest(const std::string& name, const std::string& sha256) {
  if (!sha256.empty()) return sha256;
  Digest of_name;
  of_name.update(name);
  return of_name.finish();
}

json::object card(const std::string& name, int64_t created_s, uint64_t bytes, const std::string& sha256, json::object details) {
  return {{"name", name}, {"model", name}, {"modified_at", rfc3339(created_s)}, {"size", bytes}, {"digest", digest(name, sha256)}, {"details", std::move(details)}};
}

json::array capabilities(const model::ModelSource& source) {
  if (!source.config.causal || source.config.pooling != model::Pooling::kNone) return {"embedding"};
  json::array out{"completion"};
  const auto parsed = text::ChatTemplate::parse(source.chat_template);
  if (source.chat_template.empty() || !parsed.ok()) return out;
  if (parsed->uses("tools")) out.push_back("tools");
  if (parsed->uses("enable_thinking") || parsed->uses("reasoning_effort")) out.push_back("thinking");
  return out;
}

json::object model_info(const model::ModelSource& source) {
  const model::ModelConfig& c = source.config;
  const std::string& a = c.architecture;
  json::object out{{"general.architecture", a}, {"general.parameter_count", parameters(source)}};
  out[a + ".context_length"] = c.context_length;
  out[a + ".embedding_length"] = c.d_model;
  out[a + ".block_count"] = c.layers.size();
  out[a + ".attention.head_count"] = c.layers.front().n_head;
  out[a + ".attention.head_count_kv"] = c.layers.front().n_head_kv;
  out[a + ".vocab_size"] = c.vocabulary_size;
  return out;
}

std::string expires_at(const RunningModel& running) {
  return running.ends_in_s ? rfc3339(std::time(nullptr) + static_cast<int64_t>(std::ceil(*running.ends_in_s))) : "9999-12-31T23:59:59Z";
}

// Looks into the file; a model is not loaded for it.
void show(Service& service, const Exchange& exchange, const FoundModel& found) {
  const auto source = model::open_model(found.path);
  if (!source.ok()) return respond_error(exchange, to_api_error(with_context(source.error(), fmt::format("the model '{}' cannot be read", found.name))));
  const auto listed = service.known_models().describe(found.name);
  respond_json(exchange, json::object{{"modelfile", "FROM " + found.name + "\n"},
                                      {"parameters", ""},
                                      {"template", source->chat_template},
                                      {"details", details_json(source->config.architecture, parameters_text(parameters(*source)), source->weights_type)},
                                      {"model_info", model_info(*source)},
                                      {"capabilities", capabilities(*source)},
                                      {"digest", digest(found.name, found.sha256)},
                                      {"modified_at", rfc3339(listed.ok() ? listed->created_s : 0)}});
}

}  // namespace

void ollama_alive(Service&, const Exchange& exchange, const json::object&) { exchange->respond(200, "text/plain", "Ollama is running"); }

void ollama_version(Service&, const Exchange& exchange, const json::object&) {
  respond_json(exchange, json::object{{"version", kVersion}});
}

void ollama_tags(Service& service, const Exchange& exchange, const json::object&) {
  json::array models;
  for (const ListedModel& m : service.known_models().list())
    models.push_back(card(m.name, m.created_s, m.bytes, m.sha256, details_json("", m.parameters, m.quantisation)));
  respond_json(exchange, json::object{{"models", std::move(models)}});
}

void ollama_ps(Service& service, const Exchange& exchange, const json::object&) {
  json::array models;
  for (const RunningModel& running : service.known_models().running()) {
    ServedModel& model = *running.model;
    json::object row = card(model.name(), model.created(), model.memory_bytes(), running.sha256, details(model));
    row["size_vram"] = 0;
    row["context_length"] = model.engine().context_limit();
    row["expires_at"] = expires_at(running);
    models.push_back(std::move(row));
  }
  respond_json(exchange, json::object{{"models", std::move(models)}});
}

void ollama_show(Service& service, const Exchange& exchange, const json::object& body) {
  Fields f(body);
  // The older name of the field.
  const std::string name = f.text("model").value_or(f.text("name").value_or(""));
  if (name.empty()) f.fail("model", "is missing");
  if (f.error()) return respond_error(exchange, *f.error());
  auto found = service.known_models().look_up(ollama_model_name(name));
  if (const ApiError* error = std::get_if<ApiError>(&found)) return respond_error(exchange, *error);
  service.files_thread().post([&service, exchange, found = std::get<FoundModel>(std::move(found))] { show(service, exchange, found); });
}

// Models are the business of whoever runs the server, not of everyone with a key.
void ollama_refused(Service&, const Exchange& exchange, const json::object&) {
  constexpr std::pair<std::string_view, std::string_view> kInstead[] = {
      {"/api/delete", "`rival rm NAME` on the server's machine removes a model"},
      {"/api/copy", "the catalogue.json of the server's folder gives a model another name"},
      {"/api/create", "`rival convert` and `rival quantize` on the server's machine make models"},
      {"/api/push", "this server sends no models anywhere"},
      {"/api/blobs/", "`rival serve --model FILE` serves a file of one's own"},
  };
  const std::string_view path = exchange->request().path;
  const auto* row = std::find_if(std::begin(kInstead), std::end(kInstead), [&](const auto& r) { return path.starts_with(r.first); });
  respond_error(exchange, {403, "permission_error", fmt::format("{} is not offered over the network: {}", row->first, row->second), "", "not_offered"});
}

}  // namespace rival::serve
