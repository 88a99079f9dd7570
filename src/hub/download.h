// Fetching one file over HTTP into the store: resumed, verified, whole or not at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "hub/store.h"

namespace rival::hub {

// Told now and then while a file of this label comes, in bytes; a total of 0 is unknown. An error breaks off, keeps what
// has arrived and is returned.
using OnProgress = std::function<Status(const std::string& label, uint64_t done, uint64_t total)>;

struct Download {
  std::string url;
  std::string bearer_token;  // for the first host only
  std::string label;         // of the progress bar
  uint64_t bytes = 0;        // 0: as the server says
  std::string sha256;        // what the file must have; empty: see git_sha1, or any
  std::string git_sha1;      // what git names the file by (SHA-1 of "blob SIZE\0" and the bytes); empty: any
  OnProgress on_progress = {};
  const std::atomic<bool>* cancel = nullptr;  // see ResolveOptions
};

// Resumes what an earlier try left. A broken connection is taken up again while it makes progress. The blob
// is in the store when this returns. Errors: those of http::fetch; kCorrupt when size or hash differ (what
// arrived is then thrown away); kIo when there is no space (what arrived is kept).
Result<StoredFile> download(const Store& store, const Download& request);

}  // namespace rival::hub
