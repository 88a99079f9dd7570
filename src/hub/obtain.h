// Getting one file of a model into the store, or finding it in place.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "hub/catalogue.h"
#include "hub/download.h"
#include "hub/store.h"

namespace rival::hub {

struct ObtainOptions {
  std::string label;                            // of the progress bar
  std::function<void(const std::string&)> say;  // may be empty
  OnProgress on_progress = {};
  const std::atomic<bool>* cancel = nullptr;    // see ResolveOptions
};

// Looks in the store, then in other programs' stores, then fetches. The result's hash is verified; its name
// is the row's. Errors: as of download, fetch_wheel and ask_hub_file.
Result<StoredFile> obtain_file(const Store& store, const FileRow& row, const ObtainOptions& options);

}  // namespace rival::hub
