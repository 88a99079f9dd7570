#include "cmd/chat_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/limits.h"

namespace rival::cmd {
namespace {

// Of an answer of a base model, which seldom ends by itself.
constexpr uint32_t kCompletionTokens = 256;

template <typename T>
Result<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size())
    return make_error(ErrorCode::kInvalidArgument, "'{}' is not a number that fits here", text);
  return value;
}

template <auto kField>
Status set_sampler(ChatSettings& settings, std::string_view text) {
  auto& field = settings.sampler.*kField;
  RIVAL_ASSIGN_OR_RETURN(field, parse_number<std::remove_reference_t<decltype(field)>>(text));
  return {};
}

template <auto kField>
std::string show_sampler(const ChatSettings& settings) {
  return fmt::format("{}", settings.sampler.*kField);
}

Status set_max_tokens(ChatSettings& settings, std::string_view text) {
  RIVAL_ASSIGN_OR_RETURN(settings.max_tokens, parse_number<uint32_t>(text));
  return {};
}

std::string show_max_tokens(const ChatSettings& settings) {
  return settings.max_tokens ? fmt::format("{}", *settings.max_tokens) : "until the context is full";
}

Status set_seed(ChatSettings& settings, std::string_view text) {
  RIVAL_ASSIGN_OR_RETURN(settings.sampler.seed, parse_number<uint64_t>(text));
  return {};
}

std::string show_seed(const ChatSettings& settings) {
  return settings.sampler.seed ? fmt::format("{}", *settings.sampler.seed) : "another one every time";
}

Status set_think(ChatSettings& settings, std::string_view text) {
  if (text != "on" && text != "off") return make_error(ErrorCode::kInvalidArgument, "'{}' is neither on nor off", text);
  settings.think = text == "on";
  return {};
}

std::string show_think(const ChatSettings& settings) {
  return !settings.think ? "as the model likes" : *settings.think ? "on" : "off";
}

using engine::SamplerParams;

constexpr Setting kSettings[] = {
    {"temperature", "X", "0 always takes the likeliest word; 1 is the model's own variety",
     set_sampler<&SamplerParams::temperature>, show_sampler<&SamplerParams::temperature>},
    {"top-p", "X", "choose among the likeliest words that together have this probability",
     set_sampler<&SamplerParams::top_p>, show_sampler<&SamplerParams::top_p>},
    {"top-k", "N", "choose among the N likeliest words; 0: all", set_sampler<&SamplerParams::top_k>,
     show_sampler<&SamplerParams::top_k>},
    {"min-p", "X", "leave out words below this share of the likeliest one's probability",
     set_sampler<&SamplerParams::min_p>, show_sampler<&SamplerParams::min_p>},
    {"typical-p", "X", "prefer words of typical surprise; 1: off", set_sampler<&SamplerParams::typical_p>,
     show_sampler<&SamplerParams::typical_p>},
    {"repetition-penalty", "X", "above 1: make words of the last 64 less likely; 1: off",
     set_sampler<&SamplerParams::repetition_penalty>, show_sampler<&SamplerParams::repetition_penalty>},
    {"presence-penalty", "X", "-2 to 2: against words that the answer has used",
     set_sampler<&SamplerParams::presence_penalty>, show_sampler<&SamplerParams::presence_penalty>},
    {"frequency-penalty", "X", "-2 to 2: the same, by how often", set_sampler<&SamplerParams::frequency_penalty>,
     show_sampler<&SamplerParams::frequency_penalty>},
    {"dry", "X", "above 0: against repeating whole phrases; 0.8 is usual",
     set_sampler<&SamplerParams::dry_multiplier>, show_sampler<&SamplerParams::dry_multiplier>},
    {"max-tokens", "N", "end the answer after N tokens", set_max_tokens, show_max_tokens},
    {"seed", "N", "the same seed gives the same answer", set_seed, show_seed},
    {"think", "on|off", "whether a model that can do so thinks before it answers", set_think, show_think},
};

// Recommended by the makers on the models' public pages.
struct Advice {
  const char* architecture;
  const char* name_begins;  // in lower case; empty: any
  float temperature, top_p;
  uint32_t top_k;
};

constexpr Advice kAdvice[] = {
    {"llama", "smollm3", 0.6f, 0.95f, 0}, {"llama", "smollm", 0.2f, 0.9f, 0}, {"llama", "mistral", 0.15f, 1.0f, 0},
    {"llama", "", 0.6f, 0.9f, 0},         {"qwen2", "", 0.7f, 0.8f, 20},      {"qwen3", "", 0.6f, 0.95f, 20},
    {"qwen3moe", "", 0.6f, 0.95f, 20},    {"gemma2", "", 1.0f, 0.95f, 64},    {"gemma3", "", 1.0f, 0.95f, 64},
    {"gpt-oss", "", 1.0f, 1.0f, 0},
};
constexpr Advice kCareful = {"", "", 0.7f, 0.9f, 40};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

const Advice& advice_for(const model::ModelConfig& config) {
  const std::string name = lower(config.name);
  for (const Advice& advice : kAdvice)
    if (config.architecture == advice.architecture && name.starts_with(advice.name_begins)) return advice;
  return kCareful;
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }

Status set_setting(ChatSettings& settings, std::string_view name, std::string_view text) {
  std::string names;
  for (const Setting& setting : kSettings) {
    names += (names.empty() ? "" : ", ") + std::string(setting.name);
    if (name != setting.name) continue;
    ChatSettings changed = settings;
    Status status = setting.set(changed, text);
    if (status.ok()) status = engine::check_sampler_params(changed.sampler, limits::kVocabularyMax);
    if (!status.ok()) return with_context(status.error(), name);
    settings = changed;
    return {};
  }
  return make_error(ErrorCode::kInvalidArgument, "'{}' is not a setting; there are {}", name, names);
}

ChatSettings default_settings(const model::ModelConfig& config, const model::SamplingDefaults& advice, bool chats) {
  const Advice known = chats ? advice_for(config) : kCareful;
  // Files that give a temperature mean the filters that they do not name to be off.
  const Advice rest = advice.temperature ? Advice{"", "", 1.0f, 1.0f, 0} : known;
  ChatSettings settings;
  settings.sampler.temperature = advice.temperature.value_or(rest.temperature);
  settings.sampler.top_p = advice.top_p.value_or(rest.top_p);
  settings.sampler.top_k = advice.top_k.value_or(rest.top_k);
  settings.sampler.min_p = advice.min_p.value_or(0.0f);
  settings.sampler.repetition_penalty = advice.repetition_penalty.value_or(1.0f);
  if (!chats) settings.max_tokens = kCompletionTokens;
  return settings;
}

Result<uint64_t> parse_bytes(std::string_view text) {
  struct Unit {
    const char* name;
    double bytes;
  };
  static constexpr Unit kUnits[] = {{"", 1},    {"b", 1},    {"k", 1e3},  {"kb", 1e3}, {"m", 1e6},
                                    {"mb", 1e6}, {"g", 1e9}, {"gb", 1e9}, {"t", 1e12}, {"tb", 1e12}};
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const std::string unit = lower(std::string(rest));
  for (const Unit& known : kUnits)
    if (code == std::errc() && unit == known.name && value >= 0 && value * known.bytes < 1e18)
      return static_cast<uint64_t>(value * known.bytes);
  return make_error(ErrorCode::kInvalidArgument, "'{}' is not a size; expected one such as 512MB or 2GB", text);
}

}  // namespace rival::cmd
