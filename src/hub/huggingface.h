// The Hugging Face hub: what a repository holds and what the hub announces of a file. The same environment
// variables as its own Python library: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "hub/source.h"

namespace rival::hub {

struct HubFile {
  std::string url;    // pinned to the commit
  std::string token;  // empty: none
  std::string commit;
  uint64_t bytes = 0;
  std::string sha256;    // announced for files in large storage; else empty
  std::string git_sha1;  // announced for all others; else empty
};

struct ListedFile {
  std::string path;
  uint64_t bytes = 0;
};

// Asks for one file. Errors: kNotFound (no such repository, revision or file), kDenied (gated or private:
// says where to accept the terms and how to give a token), kNetwork.
Result<HubFile> ask_hub_file(const HfSource& source);

// Every file of a repository at a revision.
Result<std::vector<ListedFile>> list_hub_files(const HfSource& source);

// The files that make a model, out of a repository's list. `wanted` is a file's path, in any case, and brings
// the other parts of a split file with it; empty: one GGUF by preference (4-bit first), else the safetensors
// with their configuration and tokenizer. Errors: kNotFound shows what there is.
Result<std::vector<std::string>> choose_files(const std::vector<ListedFile>& files,
                                              const std::string& wanted);

// All parts of "name-00002-of-00003.gguf", in order; of any other name itself.
std::vector<std::string> split_parts(const std::string& path);

}  // namespace rival::hub
