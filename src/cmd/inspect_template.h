// `rival inspect template`: the prompt that a chat template makes of messages.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace rival::cmd {

// What a model says of its own template.
struct ModelTemplate {
  std::string source;
  std::optional<std::string> bos_token, eos_token;
};

// Finds a model by name or path and reads its template.
using TemplateLookup = std::function<Result<ModelTemplate>(const std::string& model)>;

// argv[0] is what --help calls the command. A name that ends in .jinja is read as a file; anything else goes to
// `lookup`, where there is one. Returns the exit status, which is not 0 where the template raises.
int run_inspect_template(int argc, char** argv, const TemplateLookup& lookup = nullptr);

}  // namespace rival::cmd
