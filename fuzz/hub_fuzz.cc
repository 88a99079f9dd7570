// Names, addresses, manifests and catalogues from anywhere: no crash, and what is accepted is safe to put on
// a disk.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/url.h"
#include "hub/catalogue.h"
#include "hub/huggingface.h"
#include "hub/manifest.h"
#include "hub/source.h"

namespace {

using namespace rival;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_name(std::string_view text) {
  const std::string component = hub::encode_component(text);
  require(hub::is_safe_relative_path(component) && component.find('/') == std::string::npos);
  for (const std::string& part : hub::split_parts(std::string(text))) require(part.size() <= text.size());
  const auto source = hub::parse_source(text);
  if (!source.ok()) return;
  const std::string name = hub::file_name(*source);
  require(name.empty() || hub::is_safe_relative_path(name));
  const auto again = hub::parse_source(hub::to_text(*source));
  require(again.ok() && hub::to_text(*again) == hub::to_text(*source));
}

void try_address(std::string_view text) {
  const auto url = http::parse_url(text);
  if (url.ok()) require(http::parse_url(url->text()).ok());
  const auto base = http::parse_url("https://host/a/b?q");
  const auto next = http::resolve_location(*base, text);
  if (next.ok()) require(next->scheme == "http" || next->scheme == "https");
}

void try_manifest(std::string_view text) {
  const auto manifest = hub::parse_manifest(text);
  if (!manifest.ok()) return;
  for (const hub::StoredFile& file : manifest->files) require(hub::is_safe_relative_path(file.name));
  require(hub::parse_manifest(hub::manifest_text(*manifest)).ok());
}

void try_catalogue(std::string_view text) {
  const auto catalogue = hub::Catalogue::parse(text);
  if (!catalogue.ok()) return;
  for (const hub::Row& row : catalogue->rows())
    for (const hub::FileRow& file : row.files) require(hub::is_safe_relative_path(file.name));
  catalogue->similar("smollm2:135m");
  catalogue->bigger_that_fits(nullptr, 1u << 30, 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      try_name(text);
      break;
    case 1:
      try_address(text);
      break;
    case 2:
      try_manifest(text);
      break;
    case 3:
      try_catalogue(text);
      break;
  }
  return 0;
}
