// Parts of `rival inspect`, each in its own file inspect_PART.cc.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/source.h"

namespace rival::cmd {

int run_inspect_logits(int argc, char** argv);
int run_inspect_embedding(int argc, char** argv);
int run_inspect_tokens(int argc, char** argv);
int run_inspect_template(int argc, char** argv);

// Where a model lies: a path that exists as it is, else by name, fetched if need be.
Result<std::filesystem::path> find_model(const std::string& name);

// Metadata, tensors, types, tokenizer and template of a model as JSON. A file that can be read but not run
// (an unknown architecture, wrong hyper-parameters) has its reason under "problem". Errors: a file that
// cannot be read.
Result<json::object> describe_model(const std::filesystem::path& path);

// The description for a person.
std::string to_text(const json::object& description);

}  // namespace rival::cmd
