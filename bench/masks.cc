// The measuring side of bench/masks: reads one JSON object a line, {"schema": text, "tests": [{"valid", "text"}],
// "tokens": bool}, follows every instance with a mask before each token and answers with one line
// {"status", "error", "compile_us", "mask_us": [...], "tokens": [[...]]}. Before the first, one line with the bytes of
// the vocabulary. Usage: bench_masks MODEL
#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "hub/hub.h"
#include "model/source.h"
#include "text/grammar.h"
#include "text/tokenizer.h"

namespace rival {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

Result<model::ModelSource> open_source(const std::string& name) {
  RIVAL_ASSIGN_OR_RETURN(const hub::Hub hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const hub::ResolvedModel model, hub.resolve(name, {}));
  return model::open_texts(model.path);
}

void print_vocabulary(const text::GrammarVocabulary& vocabulary) {
  json::array tokens, ends;
  for (size_t id = 0; id < vocabulary.size(); ++id) {
    std::string hex;
    for (char c : vocabulary.token_bytes(static_cast<text::TokenId>(id))) fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<uint8_t>(c));
    tokens.emplace_back(hex);
  }
  for (text::TokenId id : vocabulary.end_of_generation()) ends.emplace_back(id);
  std::cout << to_json_text(json::object{{"tokens", tokens}, {"ends", ends}}) << std::endl;
}

// Whether the text is accepted, token by token; masks that disagree with accept() count as a crash.
bool follow(const std::shared_ptr<const text::Grammar>& grammar, const std::vector<text::TokenId>& ids, std::vector<double>* mask_us) {
  text::GrammarState state(grammar);
  std::vector<uint32_t> mask(grammar->vocabulary().mask_words());
  for (text::TokenId id : ids) {
    const Clock::time_point start = Clock::now();
    state.mask(mask);
    mask_us->push_back(microseconds_since(start));
    const bool allowed = (mask[id / 32] >> (id % 32) & 1) != 0;
    RIVAL_CHECK(state.accept(id) == allowed, "mask and accept differ at token {}", id);
    if (!allowed) return false;
  }
  return state.is_complete();
}

json::object measure(const json::object& request, const text::Tokenizer& tokenizer, const std::shared_ptr<const text::GrammarVocabulary>& vocabulary) {
  json::object reply;
  std::vector<std::vector<text::TokenId>> ids;
  for (const json::value& test : request.at("tests").as_array()) {
    ids.push_back(tokenizer.encode(test.at("text").as_string(), {.add_special = false, .parse_special = false}).value());
  }
  const Clock::time_point start = Clock::now();
  const text::Grammar::Compiled grammar = text::Grammar::json_schema_text(vocabulary, request.at("schema").as_string());
  reply["compile_us"] = microseconds_since(start);
  std::string status = "passing";
  std::vector<double> mask_us;
  if (!grammar.ok()) {
    status = "compile_error";
    reply["error"] = grammar.error().message;
  }
  for (size_t i = 0; i < ids.size() && grammar.ok(); ++i) {
    const bool valid = request.at("tests").at(i).at("valid").as_bool();
    if (follow(*grammar, ids[i], &mask_us) == valid) continue;
    if (status != "invalidation_error") status = valid ? "validation_error" : "invalidation_error";
  }
  reply["status"] = status;
  json::array& times = reply["mask_us"].emplace_array();
  for (double t : mask_us) times.emplace_back(static_cast<double>(static_cast<int64_t>(t * 1000)) / 1000);
  if (request.at("tokens").as_bool()) {
    json::array& lists = reply["tokens"].emplace_array();
    for (const auto& list : ids) lists.emplace_back(json::array(list.begin(), list.end()));
  }
  return reply;
}

int run(const std::string& model) {
  const Result<model::ModelSource> source = open_source(model);
  if (!source.ok() || !source->tokenizer) {
    fmt::print(stderr, "bench_masks: {}\n", source.ok() ? "the model has no tokenizer" : source.error().message);
    return 1;
  }
  const text::Tokenizer* tokenizer = &*source->tokenizer;
  const Clock::time_point start = Clock::now();
  const auto vocabulary = text::GrammarVocabulary::build(*tokenizer).value();
  fmt::print(stderr, "vocabulary of {} tokens: {:.1f} ms\n", vocabulary->size(), microseconds_since(start) / 1000);
  print_vocabulary(*vocabulary);
  for (std::string line; std::getline(std::cin, line);) {
    const json::value request = parse_json(line).value();
    std::cout << to_json_text(measure(request.as_object(), *tokenizer, vocabulary)) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace rival

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_masks MODEL\n");
    return 2;
  }
  return rival::run(argv[1]);
}
