// The table of hostile model files: how each is made and which message must come.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rival::tests {

enum class HostileKind {
  kGguf,         // refused by the reader of GGUF
  kSafetensors,  // refused by the reader of safetensors
  kModel,        // well-formed GGUF whose content is no model: refused where models are opened
};

struct HostileFile {
  std::string_view name;  // the class, for people
  HostileKind kind = HostileKind::kGguf;
  std::string (*make)();     // the file's bytes
  std::string_view message;  // a part of the error's text that names field, found and expected
};

std::span<const HostileFile> hostile_files();

}  // namespace rival::tests
