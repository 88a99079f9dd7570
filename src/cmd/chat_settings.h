// What a person may set about answers: the same table gives the flags of `rival run` and the names of /set.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/sampler.h"
#include "model/config.h"
#include "model/sampling_defaults.h"

namespace rival::cmd {

struct ChatSettings {
  engine::SamplerParams sampler;
  std::optional<uint32_t> max_tokens;
  std::optional<bool> think;  // absent: as the template does by itself
};

struct Setting {
  const char* name;   // "top-p"
  const char* value;  // what stands for its value in a usage line
  const char* help;
  Status (*set)(ChatSettings& settings, std::string_view text);
  std::string (*show)(const ChatSettings& settings);
};

std::span<const Setting> settings();

// Errors: kInvalidArgument for a name that is no setting (names those that are), a value that is no number, or one
// out of its range.
Status set_setting(ChatSettings& settings, std::string_view name, std::string_view text);

// What the model's files advise; else what its makers do, where that is known; else careful values.
ChatSettings default_settings(const model::ModelConfig& config, const model::SamplingDefaults& advice, bool chats);

// "512MB", "2G", "1.5 GB", "300000": decimal units. Errors: kInvalidArgument.
Result<uint64_t> parse_bytes(std::string_view text);

}  // namespace rival::cmd
