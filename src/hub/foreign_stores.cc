#include "hub/foreign_stores.h"

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

namespace rival::hub {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHfCache = "Hugging Face cache";
constexpr const char* kOllama = "Ollama store";
constexpr const char* kOllamaRegistry = "registry.ollama.ai";
constexpr const char* kOllamaWeights = "application/vnd.ollama.image.model";

fs::path variable_path(const char* name) {
  const char* value = std::getenv(name);
  return value ? fs::path(value) : fs::path();
}

bool is_whole_file(const fs::path& path) {
  std::error_code code;
  return fs::is_regular_file(path, code) && fs::file_size(path, code) > 0 && !code;
}

// "models--owner--name", the folder of a repository in the cache.
fs::path repository_folder(const HfSource& source) {
  std::string name = "models--" + source.repository;
  name.replace(name.find('/'), 1, "--");
  return hf_cache() / name;
}

// The commit that the cache knows a branch or tag by; a commit is its own.
std::optional<std::string> cached_commit(const HfSource& source) {
  std::error_code code;
  if (fs::is_directory(repository_folder(source) / "snapshots" / source.revision, code))
    return source.revision;
  auto text = read_file(repository_folder(source) / "refs" / source.revision, 256);
  if (!text.ok()) return std::nullopt;
  std::erase_if(*text, [](unsigned char c) { return c <= ' '; });
  if (!is_safe_relative_path(*text) || text->find('/') != std::string::npos) return std::nullopt;
  return *text;
}

// The digest "sha256:HEX" of the layer with the weights in an Ollama manifest.
std::optional<std::string> weights_digest(const fs::path& manifest) {
  auto text = read_file(manifest, limits::kManifestBytesMax);
  if (!text.ok()) return std::nullopt;
  auto value = parse_json(*text);
  const json::object* object = value.ok() ? value->if_object() : nullptr;
  const json::value* layers = object ? object->if_contains("layers") : nullptr;
  if (!layers || !layers->is_array()) return std::nullopt;
  for (const json::value& layer : layers->get_array()) {
    const json::object* fields = layer.if_object();
    const json::value* type = fields ? fields->if_contains("mediaType") : nullptr;
    const json::value* digest = fields ? fields->if_contains("digest") : nullptr;
    if (!type || !type->is_string() || type->get_string() != kOllamaWeights || !digest ||
        !digest->is_string())
      continue;
    const std::string text_digest(digest->get_string());
    if (text_digest.starts_with("sha256:") && is_sha256(text_digest.substr(7))) return text_digest.substr(7);
  }
  return std::nullopt;
}

std::optional<ForeignFile> ollama_blob(const std::string& sha256) {
  const fs::path path = ollama_models() / "blobs" / ("sha256-" + sha256);
  if (!is_whole_file(path)) return std::nullopt;
  return ForeignFile{path, kOllama, sha256};
}

}  // namespace

fs::path hf_home() {
  if (fs::path home = variable_path("HF_HOME"); !home.empty()) return home;
  if (fs::path cache = variable_path("XDG_CACHE_HOME"); !cache.empty()) return cache / "huggingface";
  return variable_path("HOME") / ".cache/huggingface";
}

fs::path hf_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (fs::path cache = variable_path(name); !cache.empty()) return cache;
  return hf_home() / "hub";
}

fs::path ollama_models() {
  if (fs::path models = variable_path("OLLAMA_MODELS"); !models.empty()) return models;
  const fs::path own = variable_path("HOME") / ".ollama/models";
  std::error_code code;
  return fs::exists(own, code) ? own : fs::path("/usr/share/ollama/.ollama/models");
}

std::optional<ForeignFile> find_in_hf_cache(const HfSource& source) {
  const auto commit = cached_commit(source);
  if (!commit || !is_safe_relative_path(source.file)) return std::nullopt;
  const fs::path path = repository_folder(source) / "snapshots" / *commit / source.file;
  if (!is_whole_file(path)) return std::nullopt;
  std::error_code code;
  const std::string blob = fs::canonical(path, code).filename().string();
  return ForeignFile{fs::absolute(path), kHfCache, is_sha256(blob) ? blob : ""};
}

std::vector<std::string> list_hf_cache(const HfSource& source) {
  std::vector<std::string> files;
  const auto commit = cached_commit(source);
  if (!commit) return files;
  const fs::path snapshot = repository_folder(source) / "snapshots" / *commit;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(snapshot, code), end; !code && entry != end;
       entry.increment(code))
    if (is_whole_file(entry->path())) files.push_back(entry->path().lexically_relative(snapshot).string());
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<ForeignFile> find_in_ollama(std::string_view name) {
  const size_t colon = name.rfind(':');
  const std::string model(name.substr(0, colon));
  const std::string tag = colon == std::string_view::npos ? "latest" : std::string(name.substr(colon + 1));
  const fs::path manifests = ollama_models() / "manifests";
  const std::string relative =
      (model.find('/') == std::string::npos ? "library/" + model : model) + "/" + tag;
  if (!is_safe_relative_path(relative)) return std::nullopt;
  for (const fs::path& manifest : {manifests / kOllamaRegistry / relative, manifests / relative}) {
    const auto digest = weights_digest(manifest);
    if (digest) return ollama_blob(*digest);
  }
  return std::nullopt;
}

std::vector<std::string> list_ollama() {
  std::vector<std::string> names;
  const fs::path library = ollama_models() / "manifests" / kOllamaRegistry / "library";
  std::error_code code;
  for (fs::recursive_directory_iterator entry(library, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    if (entry.depth() != 1 || !entry->is_regular_file(ignored)) continue;
    names.push_back(entry->path().parent_path().filename().string() + ":" +
                    entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<ForeignFile> find_foreign_blob(std::string_view sha256) {
  if (!is_sha256(sha256)) return std::nullopt;
  const std::string hash(sha256);
  if (auto blob = ollama_blob(hash)) return blob;
  std::error_code code;
  for (fs::directory_iterator entry(hf_cache(), code), end; !code && entry != end; entry.increment(code)) {
    const fs::path path = entry->path() / "blobs" / hash;
    if (entry->path().filename().string().starts_with("models--") && is_whole_file(path))
      return ForeignFile{fs::absolute(path), kHfCache, hash};
  }
  return std::nullopt;
}

}  // namespace rival::hub
