// Model files that other programs have fetched already, used where they lie: the Hugging Face cache
// (HF_HUB_CACHE, HF_HOME) and the Ollama store (OLLAMA_MODELS). Nothing here writes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/source.h"

namespace rival::hub {

struct ForeignFile {
  std::filesystem::path path;
  std::string owner;   // "Hugging Face cache" or "Ollama store"
  std::string sha256;  // by which the other program names it; empty: a small file that git names
};

std::filesystem::path hf_home();
std::filesystem::path hf_cache();
std::filesystem::path ollama_models();

// One file of a repository at a revision.
std::optional<ForeignFile> find_in_hf_cache(const HfSource& source);

// Every file of a repository's snapshot, as paths inside the repository; empty when there is none.
std::vector<std::string> list_hf_cache(const HfSource& source);

// The weights of an Ollama model "name[:tag]", with or without its registry's "library/".
std::optional<ForeignFile> find_in_ollama(std::string_view name);

// Names of the models in the Ollama store.
std::vector<std::string> list_ollama();

// Any file that is named by this SHA-256.
std::optional<ForeignFile> find_foreign_blob(std::string_view sha256);

}  // namespace rival::hub
