#include "hub/manifest.h"

#include "base/json.h"
#include "base/limits.h"
#include "hub/source.h"

namespace rival::hub {
namespace {

Error wrong(std::string_view field, std::string_view expected) {
  return make_error(ErrorCode::kCorrupt, "manifest field '{}' is not {}", field, expected);
}

Result<std::string> string_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_string()) return wrong(key, "a string");
  return std::string(value->get_string());
}

Result<int64_t> number_field(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_int64() || value->get_int64() < 0) return wrong(key, "a whole number");
  return value->get_int64();
}

Result<StoredFile> parse_file(const json::value& value) {
  const json::object* object = value.if_object();
  if (!object) return wrong("files", "a list of objects");
  StoredFile file;
  RIVAL_ASSIGN_OR_RETURN(file.name, string_field(*object, "name"));
  RIVAL_ASSIGN_OR_RETURN(file.sha256, string_field(*object, "sha256"));
  RIVAL_ASSIGN_OR_RETURN(file.in_place, string_field(*object, "in_place"));
  RIVAL_ASSIGN_OR_RETURN(const int64_t bytes, number_field(*object, "bytes"));
  file.bytes = static_cast<uint64_t>(bytes);
  if (!is_safe_relative_path(file.name)) return wrong("files.name", "a plain relative path");
  if (!is_sha256(file.sha256)) return wrong("files.sha256", "64 hexadecimal digits");
  return file;
}

}  // namespace

std::string manifest_text(const Manifest& manifest) {
  json::array files;
  for (const StoredFile& file : manifest.files)
    files.push_back(json::object{
        {"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"in_place", file.in_place}});
  return to_json_text(json::object{{"name", manifest.name},
                                   {"source", manifest.source},
                                   {"licence", manifest.licence},
                                   {"pulled_at", manifest.pulled_at_s},
                                   {"files", std::move(files)}}) +
         "\n";
}

Result<Manifest> parse_manifest(std::string_view text) {
  RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(text));
  const json::object* object = value.if_object();
  if (!object) return make_error(ErrorCode::kCorrupt, "a manifest is not an object");
  Manifest manifest;
  RIVAL_ASSIGN_OR_RETURN(manifest.name, string_field(*object, "name"));
  RIVAL_ASSIGN_OR_RETURN(manifest.source, string_field(*object, "source"));
  RIVAL_ASSIGN_OR_RETURN(manifest.licence, string_field(*object, "licence"));
  RIVAL_ASSIGN_OR_RETURN(manifest.pulled_at_s, number_field(*object, "pulled_at"));
  const json::value* files = object->if_contains("files");
  if (!files || !files->is_array() || files->get_array().empty() ||
      files->get_array().size() > limits::kModelFilesMax)
    return wrong("files", "a list of files");
  for (const json::value& file : files->get_array()) {
    RIVAL_ASSIGN_OR_RETURN(StoredFile stored, parse_file(file));
    manifest.files.push_back(std::move(stored));
  }
  return manifest;
}

}  // namespace rival::hub
