// GgufFile: one file or a set of shards.
#include "base/limits.h"
#include "format/gguf.h"

namespace rival::format {
namespace {

struct MappedContents {
  MappedFile file;
  GgufContents contents;
};

Result<MappedContents> map_and_parse(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  auto contents = parse_gguf(file.bytes());
  if (!contents.ok()) return with_context(contents.error(), path.string());
  return MappedContents{std::move(file), std::move(contents).value()};
}

// Where a shard stands, by its metadata; count 1 for a file that is no shard.
struct ShardPlace {
  uint32_t index = 0;
  uint32_t count = 1;
};

Result<ShardPlace> shard_place(const Metadata& metadata) {
  ShardPlace place;
  RIVAL_ASSIGN_OR_RETURN(place.count, metadata.get_u32_or("split.count", 1));
  RIVAL_ASSIGN_OR_RETURN(place.index, metadata.get_u32_or("split.no", 0));
  if (place.count <= 1) return ShardPlace{};
  if (place.count > limits::kShardCountMax)
    return make_error(ErrorCode::kLimit, "metadata 'split.count' is {}; at most {} files are read",
                      place.count, limits::kShardCountMax);
  if (place.index >= place.count)
    return make_error(ErrorCode::kCorrupt, "metadata 'split.no' is {}; expected less than split.count = {}",
                      place.index, place.count);
  return place;
}

Status check_shard(const Metadata& metadata, uint32_t index, uint32_t count) {
  RIVAL_ASSIGN_OR_RETURN(const ShardPlace place, shard_place(metadata));
  if (place.count == count && place.index == index) return {};
  return make_error(ErrorCode::kCorrupt,
                    "the file is shard {} of {} by its metadata; expected shard {} of {}", place.index + 1,
                    place.count, index + 1, count);
}

// What stands before "-00001-of-00003.gguf" in the file's name.
Result<std::string> shard_prefix(const std::filesystem::path& path, const ShardPlace& place) {
  const std::string name = path.filename().string();
  const std::string ending = gguf_shard_name("", place.index, place.count);
  if (name.size() > ending.size() && name.ends_with(ending))
    return name.substr(0, name.size() - ending.size());
  return make_error(
      ErrorCode::kInvalidArgument,
      "{} is shard {} of {}, but its name does not end in {}, so the other shards cannot be found",
      path.string(), place.index + 1, place.count, ending);
}

Status check_tensor_count(const Metadata& metadata, size_t found) {
  if (!metadata.contains("split.tensors.count")) return {};
  RIVAL_ASSIGN_OR_RETURN(const uint64_t expected, metadata.get_u64("split.tensors.count"));
  if (expected == found) return {};
  return make_error(ErrorCode::kCorrupt, "the shards hold {} tensors together; 'split.tensors.count' says {}",
                    found, expected);
}

}  // namespace

std::string gguf_shard_name(std::string_view prefix, uint32_t index, uint32_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, index + 1, count);
}

Result<GgufFile> GgufFile::open(const std::filesystem::path& path) {
  RIVAL_ASSIGN_OR_RETURN(MappedContents named, map_and_parse(path));
  RIVAL_ASSIGN_OR_RETURN(const ShardPlace place, shard_place(named.contents.metadata));
  GgufFile model;
  if (place.count == 1) {
    model.version_ = named.contents.version;
    model.metadata_ = std::move(named.contents.metadata);
    RIVAL_RETURN_IF_ERROR(model.table_.add_file(std::move(named.file), std::move(named.contents.tensors)));
    return model;
  }
  RIVAL_ASSIGN_OR_RETURN(const std::string prefix, shard_prefix(path, place));
  for (uint32_t index = 0; index < place.count; ++index) {
    const auto shard_path = path.parent_path() / gguf_shard_name(prefix, index, place.count);
    RIVAL_ASSIGN_OR_RETURN(MappedContents shard, map_and_parse(shard_path));
    const Status fits = check_shard(shard.contents.metadata, index, place.count);
    if (!fits.ok()) return with_context(fits.error(), shard_path.string());
    if (index == 0) {
      model.version_ = shard.contents.version;
      model.metadata_ = std::move(shard.contents.metadata);
    }
    const Status added = model.table_.add_file(std::move(shard.file), std::move(shard.contents.tensors));
    if (!added.ok()) return with_context(added.error(), shard_path.string());
  }
  RIVAL_RETURN_IF_ERROR(check_tensor_count(model.metadata_, model.tensors().size()));
  return model;
}

}  // namespace rival::format
