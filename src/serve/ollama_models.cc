// The routes of Ollama's API about models: version, tags, show, ps.
#include "base/sha256.h"
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

json::object details_json(const std::string& family, const std::string& size, const std::string& type) {
  json::array families;
  if (!family.empty()) families.emplace_back(family);
  return {{"parent_model", ""}, {"format", "gguf"}, {"family", family}, {"families", std::move(families)}, {"parameter_size", size}, {"quantization_level", type}};
}

json::object details(const ServedModel& model) {
  return details_json(model.config().architecture, parameters_text(parameters(model)), model.loaded().weights_type());
}

// A name for the content that stays the same; what the weights hash to is not known for every file.
std::string digest(const std::string& name) {
  Digest sha256;
  sha256.update(name);
  return sha256.finish();
}

json::object card(const std::string& name, int64_t created_s, uint64_t bytes, json::object details) {
  return {{"name", name}, {"model", name}, {"modified_at", rfc3339(created_s)}, {"size", bytes}, {"digest", digest(name)}, {"details", std::move(details)}};
}

json::array capabilities(const ServedModel& model) {
  if (model.embeds()) return {"embedding"};
  json::array out{"completion"};
  if (model.template_uses("tools")) out.push_back("tools");
  if (model.template_uses("enable_thinking") || model.template_uses("reasoning_effort")) out.push_back("thinking");
  return out;
}

json::object model_info(const ServedModel& model) {
  const model::ModelConfig& c = model.config();
  const std::string& a = c.architecture;
  json::object out{{"general.architecture", a}, {"general.parameter_count", parameters(model)}};
  out[a + ".context_length"] = c.context_length;
  out[a + ".embedding_length"] = c.d_model;
  out[a + ".block_count"] = c.layers.size();
  out[a + ".attention.head_count"] = c.layers.front().n_head;
  out[a + ".attention.head_count_kv"] = c.layers.front().n_head_kv;
  out[a + ".vocab_size"] = c.vocabulary_size;
  return out;
}

}  // namespace

void ollama_alive(Service&, const Exchange& exchange, const json::object&) { exchange->respond(200, "text/plain", "Ollama is running"); }

void ollama_version(Service&, const Exchange& exchange, const json::object&) {
  respond_json(exchange, json::object{{"version", kVersion}});
}

void ollama_tags(Service& service, const Exchange& exchange, const json::object&) {
  json::array models;
  for (const ListedModel& m : service.known_models().list())
    models.push_back(card(m.name, m.created_s, m.bytes, details_json("", m.parameters, m.quantisation)));
  respond_json(exchange, json::object{{"models", std::move(models)}});
}

void ollama_ps(Service& service, const Exchange& exchange, const json::object&) {
  json::array models;
  for (const auto& model : service.models()) {
    json::object row = card(model->name(), model->created(), model->memory_bytes(), details(*model));
    row["size_vram"] = 0;
    row["context_length"] = model->engine().context_limit();
    row["expires_at"] = "9999-12-31T23:59:59Z";
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
  with_model(service, exchange, ollama_model_name(name), [exchange](const std::shared_ptr<ServedModel>& model) {
    respond_json(exchange, json::object{{"modelfile", "FROM " + model->name() + "\n"}, {"parameters", ""}, {"template", model->loaded().chat_template()},
                                        {"details", details(*model)}, {"model_info", model_info(*model)}, {"capabilities", capabilities(*model)},
                                        {"modified_at", rfc3339(model->created())}});
  });
}

}  // namespace rival::serve
