// POST /api/embed and the older /api/embeddings of Ollama's API.
#include <chrono>

#include "base/limits.h"
#include "serve/fields.h"
#include "serve/ollama_request.h"
#include "serve/service.h"
#include "text/tokenizer.h"

namespace rival::serve {
namespace {

using Exchange = std::shared_ptr<http::Exchange>;
using Clock = std::chrono::steady_clock;

// None where there is nothing to embed: the model is only made ready.
std::vector<std::string> read_input(Fields& f) {
  std::vector<std::string> out;
  const json::value* input = f.find("input");
  if (!input || *input == json::string("")) return out;
  const json::array one(1, *input);
  const json::array& all = input->is_array() ? input->get_array() : one;
  if (all.size() > limits::kEmbeddingInputsMax) f.fail("input", fmt::format("at most {} texts", limits::kEmbeddingInputsMax));
  for (const json::value& text : all) {
    if (text.is_string()) {
      out.emplace_back(text.get_string());
    } else {
      f.fail("input", "expected a string or an array of strings");
      break;
    }
  }
  return out;
}

// The ids of each text. One that is too long for the model is cut, as this API has it unless truncate is false.
std::variant<std::vector<std::vector<text::TokenId>>, ApiError> encode(ServedModel& model, const std::vector<std::string>& texts, bool truncate) {
  std::vector<std::vector<text::TokenId>> out;
  const size_t limit = model.config().context_length;
  for (const std::string& text : texts) {
    auto ids = model.tokenizer().encode(text);
    if (!ids.ok()) return to_api_error(ids.error());
    if (ids->empty()) return bad_field("input", "holds an empty text");
    if (ids->size() > limit && truncate) {
      const text::TokenId last = ids->back();  // the end mark that some models pool by
      ids->resize(limit);
      ids->back() = last;
    }
    out.push_back(std::move(*ids));
  }
  return out;
}

struct EmbedRequest {
  std::string model;
  std::vector<std::string> texts;
  bool truncate = true;
  std::optional<double> keep_s = {};
};

using Tell = std::function<json::object(const EmbedRequest& request, const engine::Engine::Embeddings& vectors, uint64_t tokens, int64_t ns)>;

void embed(Service& service, const Exchange& exchange, EmbedRequest request, Tell tell) {
  const auto started = Clock::now();
  const std::string name = ollama_model_name(request.model);
  with_model(service, exchange, name, [&service, exchange, started, request = std::move(request), tell = std::move(tell)](const std::shared_ptr<ServedModel>& model) {
    if (request.keep_s) service.known_models().keep(model->name(), *request.keep_s);
    if (!model->embeds()) return respond_error(exchange, bad_field("model", fmt::format("{} writes text; embeddings need an embedding model such as minilm", model->name())));
    if (request.texts.empty()) return respond_json(exchange, tell(request, {}, 0, 0));
    auto inputs = encode(*model, request.texts, request.truncate);
    if (const ApiError* error = std::get_if<ApiError>(&inputs)) return respond_error(exchange, *error);
    uint64_t tokens = 0;
    for (const auto& ids : std::get<0>(inputs)) tokens += ids.size();
    model->metrics().embedded(tokens);
    if (const auto record = record_of(exchange)) record->add_prompt_tokens(tokens);
    model->engine().embed(std::move(std::get<0>(inputs)), [exchange, started, tokens, request, tell, model](Result<engine::Engine::Embeddings> vectors) {
      if (!vectors.ok()) return respond_error(exchange, to_api_error(vectors.error()));
      const int64_t ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - started).count();
      respond_json(exchange, tell(request, *vectors, tokens, ns));
    });
  });
}

json::array as_json(const std::vector<float>& vector) { return json::array(vector.begin(), vector.end()); }

}  // namespace

void ollama_embed(Service& service, const Exchange& exchange, const json::object& body) {
  Fields f(body);
  EmbedRequest request{.model = f.text("model").value_or(""), .texts = {}, .truncate = f.boolean("truncate", true), .keep_s = read_keep_alive(f)};
  if (request.model.empty()) f.fail("model", "is missing");
  request.texts = read_input(f);
  if (f.integer("dimensions", 0, INT32_MAX).value_or(0) != 0) f.fail("dimensions", "is not supported by this server");
  if (f.error()) return respond_error(exchange, *f.error());
  embed(service, exchange, std::move(request), [](const EmbedRequest& r, const engine::Engine::Embeddings& vectors, uint64_t tokens, int64_t ns) {
    json::array all;
    for (const auto& vector : vectors) all.push_back(as_json(vector));
    return json::object{{"model", r.model}, {"embeddings", std::move(all)}, {"total_duration", ns}, {"load_duration", 0}, {"prompt_eval_count", tokens}};
  });
}

void ollama_embeddings(Service& service, const Exchange& exchange, const json::object& body) {
  Fields f(body);
  EmbedRequest request{.model = f.text("model").value_or(""), .texts = {}, .keep_s = read_keep_alive(f)};
  if (const std::string prompt = f.text("prompt").value_or(""); !prompt.empty()) request.texts.push_back(prompt);
  if (request.model.empty()) f.fail("model", "is missing");
  if (f.error()) return respond_error(exchange, *f.error());
  embed(service, exchange, std::move(request), [](const EmbedRequest&, const engine::Engine::Embeddings& vectors, uint64_t, int64_t) {
    return json::object{{"embedding", vectors.empty() ? json::array() : as_json(vectors.front())}};
  });
}

}  // namespace rival::serve
