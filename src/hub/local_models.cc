#include "hub/local_models.h"

#include <set>

#include "base/limits.h"
#include "hub/foreign_stores.h"
#include "hub/huggingface.h"

namespace rival::hub {
namespace fs = std::filesystem;
namespace {

// The one file of a repository that a row or a source names; nothing where the hub's list would have to decide.
std::optional<HfSource> single_hub_file(const FileRow& row) {
  const auto* source = row.from.size() == 1 ? std::get_if<HfSource>(&row.from[0]) : nullptr;
  if (!source || source->file.empty()) return std::nullopt;
  return *source;
}

// The path that a loader opens when the cache holds the model as a GGUF with all its parts.
std::optional<fs::path> gguf_in_cache(HfSource source) {
  if (source.file.empty()) {
    std::vector<ListedFile> files;
    for (const std::string& path : list_hf_cache(source)) files.push_back({.path = path});
    const auto chosen = choose_files(files, "");
    if (!chosen.ok() || chosen->empty()) return std::nullopt;
    source.file = chosen->front();
  }
  if (!source.file.ends_with(".gguf")) return std::nullopt;
  std::optional<fs::path> first;
  for (const std::string& part : split_parts(source.file)) {
    HfSource one = source;
    one.file = part;
    const auto found = find_in_hf_cache(one);
    if (!found) return std::nullopt;
    if (!first) first = found->path;
  }
  return first;
}

std::optional<fs::path> row_in_cache(const Row& row) {
  if (row.files.size() != 1) return std::nullopt;
  const auto source = single_hub_file(row.files[0]);
  return source ? gguf_in_cache(*source) : std::nullopt;
}

std::optional<ResolvedModel> find_in_cache(const Hub& hub, std::string_view name) {
  if (const Row* row = hub.catalogue().find(name)) {
    if (const auto path = row_in_cache(*row)) return ResolvedModel{*path, row->name, "Hugging Face cache", *row};
    return std::nullopt;
  }
  const auto source = parse_source(name);
  const auto* repository = source.ok() ? std::get_if<HfSource>(&*source) : nullptr;
  if (!repository) return std::nullopt;
  const auto path = gguf_in_cache(*repository);
  if (!path) return std::nullopt;
  return ResolvedModel{*path, to_text(*source), "Hugging Face cache", std::nullopt};
}

// Of the file with the weights: the first GGUF, as hub.cc has it, else the first safetensors file.
std::string entry_sha256(const Manifest& manifest) {
  for (const char* ending : {".gguf", ".safetensors"}) {
    const StoredFile* entry = nullptr;
    for (const StoredFile& file : manifest.files)
      if (file.name.ends_with(ending) && (!entry || file.name < entry->name)) entry = &file;
    if (entry) return entry->sha256;
  }
  return "";
}

// The first safetensors file of a folder; the path itself where it is a file.
fs::path weights_file(const fs::path& path) {
  std::error_code code;
  if (!fs::is_directory(path, code)) return path;
  fs::path first;
  for (fs::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code))
    if (entry->path().extension() == ".safetensors" && (first.empty() || entry->path() < first)) first = entry->path();
  return first;
}

Error not_here(std::string_view name) {
  return make_error(ErrorCode::kNotFound, "the model '{}' is not on this machine", name);
}

}  // namespace

Result<ResolvedModel> find_local_model(const Hub& hub, std::string_view name, bool accept_licence) {
  if (name.empty() || name.size() > limits::kModelNameBytesMax) return not_here(name.substr(0, 64));
  if (is_source(name) || hub.catalogue().find(name)) {
    auto found = hub.resolve(name, {.fetch = false, .accept_licence = accept_licence});
    if (found.ok() || found.error().code == ErrorCode::kDenied) return found;
    if (auto cached = find_in_cache(hub, name)) return *cached;
    return not_here(name);
  }
  const std::string_view ollama = name.starts_with("ollama:") ? name.substr(7) : name;
  if (const auto file = find_in_ollama(ollama))
    return ResolvedModel{file->path, "ollama:" + std::string(ollama), file->owner, std::nullopt};
  return not_here(name);
}

std::vector<LocalModel> list_local_models(const Hub& hub) {
  std::vector<LocalModel> list;
  std::set<std::string> here;
  const auto row_of = [&](std::string_view name) {
    const Row* row = hub.catalogue().find(name);
    return row ? std::optional<Row>(*row) : std::nullopt;
  };
  for (const Manifest& manifest : hub.store().models()) {
    here.insert(manifest.name);
    list.push_back({manifest.name, "store", manifest.total_bytes(), manifest.pulled_at_s, row_of(manifest.name), entry_sha256(manifest)});
  }
  for (const Row& row : hub.catalogue().rows()) {
    if (here.count(row.name)) continue;
    if (const auto path = row_in_cache(row)) list.push_back({row.name, "Hugging Face cache", weights_bytes(*path), 0, row, known_sha256(*path)});
  }
  for (const std::string& name : list_ollama()) {
    const auto file = find_in_ollama(name);
    if (file) list.push_back({"ollama:" + name, file->owner, weights_bytes(file->path), 0, std::nullopt, file->sha256});
  }
  return list;
}

std::string known_sha256(const fs::path& path) {
  constexpr std::string_view kPrefix = "sha256-";
  std::error_code code;
  std::string name = fs::canonical(weights_file(path), code).filename().string();
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  return is_sha256(name) ? name : "";
}

uint64_t weights_bytes(const fs::path& path) {
  std::error_code code;
  uint64_t sum = 0;
  const auto add = [&](const fs::path& file) {
    const uint64_t bytes = fs::file_size(file, code);
    if (!code) sum += bytes;
  };
  if (!fs::is_directory(path, code)) {
    for (const std::string& part : split_parts(path.filename().string())) add(path.parent_path() / part);
    return sum;
  }
  for (fs::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code))
    if (entry->path().extension() == ".safetensors") add(entry->path());
  return sum;
}

}  // namespace rival::hub
