// The small routes: models, embeddings, tokens.
#include <openssl/evp.h>

#include <cstring>

#include "base/limits.h"
#include "http/url.h"
#include "serve/anthropic_models.h"
#include "serve/fields.h"
#include "serve/service.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace rival::serve {
namespace {

json::object model_card(const ListedModel& model) {
  return {{"id", model.name}, {"object", "model"}, {"created", model.created_s}, {"owned_by", "rival"}, {"loaded", model.loaded}};
}

std::string base64(const std::vector<float>& values) {
  const size_t bytes = values.size() * sizeof(float);
  std::string out(4 * ((bytes + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(values.data()), static_cast<int>(bytes));
  out.resize(static_cast<size_t>(length));
  return out;
}

std::optional<std::vector<text::TokenId>> read_ids(Fields& fields, std::string_view name, const json::array& list, const ServedModel& model) {
  std::vector<text::TokenId> ids;
  for (const json::value& value : list) {
    const int64_t id = value.is_int64() ? value.get_int64() : -1;
    if (id < 0 || id >= static_cast<int64_t>(model.config().vocabulary_size)) {
      fields.fail(name, "holds something that is not a token id of this model");
      return std::nullopt;
    }
    ids.push_back(static_cast<text::TokenId>(id));
  }
  return ids;
}

// A string, strings, token ids, or lists of token ids.
std::vector<std::vector<text::TokenId>> read_inputs(Fields& fields, const ServedModel& model) {
  std::vector<std::vector<text::TokenId>> inputs;
  const auto add = [&](const json::value& value) {
    if (value.is_array()) {
      if (auto ids = read_ids(fields, "input", value.get_array(), model)) inputs.push_back(std::move(*ids));
      return;
    }
    if (!value.is_string()) return fields.fail("input", "expected a string, strings, or token ids");
    auto ids = model.tokenizer().encode(std::string_view(value.get_string()));
    if (!ids.ok()) return fields.fail("input", ids.error().message);
    inputs.push_back(std::move(ids).value());
  };
  const json::value* input = fields.find("input");
  if (!input) {
    fields.fail("input", "is missing");
  } else if (!input->is_array() || (!input->get_array().empty() && input->get_array()[0].is_number())) {
    add(*input);
  } else if (input->get_array().empty() || input->get_array().size() > limits::kEmbeddingInputsMax) {
    fields.fail("input", fmt::format("expected 1 to {} inputs", limits::kEmbeddingInputsMax));
  } else {
    for (const json::value& value : input->get_array()) add(value);
  }
  for (const auto& ids : inputs)
    if (ids.empty()) fields.fail("input", "is empty");
  return inputs;
}

}  // namespace

void list_models(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  if (is_anthropic(exchange->request())) {
    std::vector<json::object> cards;
    for (const ListedModel& model : service.known_models().list()) cards.push_back(anthropic_model_card(model.name, model.created_s));
    const auto list = anthropic_model_list(cards, exchange->request().query);
    if (const ApiError* error = std::get_if<ApiError>(&list)) return respond_error(exchange, *error);
    return respond_json(exchange, std::get<json::object>(list));
  }
  json::array data;
  for (const ListedModel& model : service.known_models().list()) data.push_back(model_card(model));
  respond_json(exchange, json::object{{"object", "list"}, {"data", std::move(data)}});
}

void show_model(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  const http::ServerRequest& request = exchange->request();
  const std::string name = http::decode_percent(std::string_view(request.path).substr(std::strlen("/v1/models/")));
  const auto model = service.known_models().describe(name);
  if (model.ok()) return respond_json(exchange, is_anthropic(request) ? anthropic_model_card(model->name, model->created_s) : model_card(*model));
  respond_error(exchange, {404, "not_found_error", model.error().message, "model", "model_not_found"});
}

void embeddings(Service&, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  if (!model->embeds()) fields.fail("model", "writes text; embeddings need an embedding model such as minilm");
  const std::string encoding = fields.text("encoding_format").value_or("float");
  if (encoding != "float" && encoding != "base64") fields.fail("encoding_format", fmt::format("'{}' is neither float nor base64", encoding));
  if (const auto dimensions = fields.integer("dimensions", 1, 1 << 20); dimensions && *dimensions != model->config().d_model)
    fields.fail("dimensions", fmt::format("this model has {} dimensions and no fewer", model->config().d_model));
  std::vector<std::vector<text::TokenId>> inputs;
  if (!fields.error()) inputs = read_inputs(fields, *model);
  if (fields.error()) return respond_error(exchange, *fields.error());
  uint64_t tokens = 0;
  for (const auto& ids : inputs) tokens += ids.size();
  model->metrics().embedded(tokens);
  if (const auto record = record_of(exchange)) record->add_prompt_tokens(tokens);
  model->engine().embed(std::move(inputs), [exchange, encoding, tokens, model](Result<engine::Engine::Embeddings> result) {
    if (!result.ok()) return respond_error(exchange, to_api_error(result.error()));
    json::array data;
    for (size_t i = 0; i < result->size(); ++i) {
      const std::vector<float>& vector = (*result)[i];
      json::value value = encoding == "base64" ? json::value(base64(vector)) : json::value(json::array(vector.begin(), vector.end()));
      data.push_back(json::object{{"object", "embedding"}, {"index", i}, {"embedding", std::move(value)}});
    }
    respond_json(exchange, json::object{{"object", "list"}, {"data", std::move(data)}, {"model", model->name()}, {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}});
  });
}

void tokenize(Service&, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  const auto content = fields.text("content");
  const bool special = fields.boolean("add_special", false);
  if (!content) fields.fail("content", "is missing");
  if (fields.error()) return respond_error(exchange, *fields.error());
  const auto ids = model->tokenizer().encode(*content, {.add_special = special});
  if (!ids.ok()) return respond_error(exchange, to_api_error(ids.error()));
  respond_json(exchange, json::object{{"tokens", json::array(ids->begin(), ids->end())}});
}

void detokenize(Service&, const std::shared_ptr<http::Exchange>& exchange, const std::shared_ptr<ServedModel>& model, const json::object& body) {
  Fields fields(body);
  const json::array* tokens = fields.list("tokens");
  if (!tokens) fields.fail("tokens", "is missing");
  std::optional<std::vector<text::TokenId>> ids;
  if (!fields.error()) ids = read_ids(fields, "tokens", *tokens, *model);
  if (fields.error()) return respond_error(exchange, *fields.error());
  respond_json(exchange, json::object{{"content", text::replace_invalid_utf8(model->tokenizer().decode(*ids))}});
}

}  // namespace rival::serve
