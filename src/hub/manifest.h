// The text of a manifest.json (store.h).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/store.h"

namespace rival::hub {

std::string manifest_text(const Manifest& manifest);

// Errors: kCorrupt names the field. A file's name is a plain relative path, its hash 64 hexadecimal digits.
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace rival::hub
