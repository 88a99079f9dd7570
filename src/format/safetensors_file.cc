// SafetensorsFile: one file, or the shards of an index.
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "format/byte_reader.h"
#include "format/safetensors.h"

namespace rival::format {
namespace {

constexpr std::string_view kSingleName = "model.safetensors";
constexpr std::string_view kIndexName = "model.safetensors.index.json";

// A shard's name as an index may give it: a plain file name beside the index, nothing that leads elsewhere.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

// The file of a folder to open: the index, model.safetensors, or the only .safetensors file.
Result<std::filesystem::path> find_in_folder(const std::filesystem::path& folder) {
  for (const std::string_view name : {kIndexName, kSingleName})
    if (std::filesystem::exists(folder / name)) return folder / name;
  std::vector<std::filesystem::path> found;
  std::error_code code;
  for (const auto& item : std::filesystem::directory_iterator(folder, code))
    if (item.path().extension() == ".safetensors") found.push_back(item.path());
  if (found.size() == 1) return found[0];
  return make_error(ErrorCode::kNotFound, "{} holds neither {} nor {}", folder.string(), kIndexName,
                    kSingleName);
}

struct Index {
  json::object weight_map;       // tensor -> shard
  std::set<std::string> shards;  // sorted
};

Result<Index> read_index(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(const std::string text, read_file(path, limits::kJsonFileBytesMax));
  RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(text));
  const json::object* root = value.if_object();
  const json::value* map = root ? root->if_contains("weight_map") : nullptr;
  if (!map || !map->is_object())
    return make_error(ErrorCode::kCorrupt, "'weight_map' is missing or not an object");
  Index index{.weight_map = map->get_object(), .shards = {}};
  for (const auto& [tensor, shard] : index.weight_map) {
    if (!shard.is_string() || !is_plain_name(shard.get_string()))
      return make_error(ErrorCode::kCorrupt, "'weight_map': the shard of {} is not a plain file name",
                        quote_name(tensor));
    index.shards.emplace(shard.get_string());
  }
  if (index.shards.size() > limits::kShardCountMax)
    return make_error(ErrorCode::kLimit, "'weight_map' names {} files; at most {} are read",
                      index.shards.size(), limits::kShardCountMax);
  return index;
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path)) {
    RIVAL_ASSIGN_OR_RETURN(file, find_in_folder(path));
  }
  SafetensorsFile model;
  RIVAL_RETURN_IF_ERROR(file.extension() == ".json" ? model.open_index(file) : model.add(file));
  return model;
}

Status SafetensorsFile::add(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  auto contents = parse_safetensors(file.bytes());
  if (!contents.ok()) return with_context(contents.error(), path.string());
  if (table_.files().empty()) metadata_ = std::move(contents->metadata);
  const Status added = table_.add_file(std::move(file), std::move(contents->tensors));
  return added.ok() ? added : with_context(added.error(), path.string());
}

Status SafetensorsFile::open_index(const std::filesystem::path& path) {
  auto index = read_index(path);
  if (!index.ok()) return with_context(index.error(), path.string());
  for (const std::string& shard : index->shards) RIVAL_RETURN_IF_ERROR(add(path.parent_path() / shard));
  for (const auto& [name, shard] : index->weight_map) {
    const TensorView* tensor = table_.find(name);
    if (!tensor || table_.file_of(*tensor).path().filename().string() != std::string_view(shard.get_string()))
      return make_error(ErrorCode::kCorrupt, "{}: tensor {} is not in {}", path.string(), quote_name(name),
                        quote_name(shard.get_string()));
  }
  return {};
}

}  // namespace rival::format
