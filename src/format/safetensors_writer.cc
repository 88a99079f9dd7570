#include "format/safetensors_writer.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"

namespace rival::format {
namespace {

uint64_t plan_bytes(const SafetensorsPlan& tensor) {
  uint64_t elements = 1;
  for (const uint64_t dim : tensor.shape) elements *= dim;
  return row_bytes(tensor.type, elements);
}

// Tensors [begin, end) of the plan.
struct Shard {
  size_t begin = 0, end = 0;
  std::string file_name;
};

std::vector<Shard> plan_shards(std::span<const SafetensorsPlan> tensors, uint64_t bytes_max) {
  std::vector<Shard> shards = {{}};
  uint64_t bytes = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const uint64_t more = plan_bytes(tensors[i]);
    if (shards.back().end > shards.back().begin && bytes + more > bytes_max) {
      shards.push_back({.begin = i, .end = i, .file_name = {}});
      bytes = 0;
    }
    bytes += more;
    shards.back().end = i + 1;
  }
  for (size_t i = 0; i < shards.size(); ++i)
    shards[i].file_name = shards.size() == 1
                              ? "model.safetensors"
                              : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
  return shards;
}

std::string encode_header(std::span<const SafetensorsPlan> tensors, const SafetensorsMetadata& metadata) {
  json::object header;
  if (!metadata.empty()) {
    json::object texts;
    for (const auto& [key, text] : metadata) texts[key] = text;
    header["__metadata__"] = std::move(texts);
  }
  uint64_t offset = 0;
  for (const SafetensorsPlan& tensor : tensors) {
    const uint64_t end = offset + plan_bytes(tensor);
    header[tensor.name] = json::object{{"dtype", dtype_info(tensor.type).name},
                                       {"shape", json::array(tensor.shape.begin(), tensor.shape.end())},
                                       {"data_offsets", json::array{offset, end}}};
    offset = end;
  }
  std::string text = to_json_text(header);
  text.append((8 - text.size() % 8) % 8, ' ');  // data begins aligned
  const uint64_t length = text.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

Status write_tensor(AtomicFileWriter& file, const SafetensorsPlan& tensor, size_t index,
                    const TensorProducer& produce) {
  const uint64_t begin = file.written();
  RIVAL_RETURN_IF_ERROR(produce(index, [&](std::span<const std::byte> bytes) { return file.write(bytes); }));
  const uint64_t found = file.written() - begin, expected = plan_bytes(tensor);
  if (found == expected) return {};
  return make_error(ErrorCode::kInternal, "tensor {} came with {} bytes; expected {}", tensor.name, found,
                    expected);
}

Status write_index(const std::filesystem::path& folder, std::span<const SafetensorsPlan> tensors,
                   std::span<const Shard> shards) {
  json::object map;
  uint64_t bytes = 0;
  for (const Shard& shard : shards)
    for (size_t i = shard.begin; i < shard.end; ++i) {
      map[tensors[i].name] = shard.file_name;
      bytes += plan_bytes(tensors[i]);
    }
  const json::object index = {{"metadata", {{"total_size", bytes}}}, {"weight_map", std::move(map)}};
  return write_file_atomically(folder / "model.safetensors.index.json", to_json_text(index));
}

}  // namespace

Status write_safetensors(const std::filesystem::path& folder, std::span<const SafetensorsPlan> tensors,
                         const TensorProducer& produce, const SafetensorsOptions& options) {
  const std::vector<Shard> shards = plan_shards(tensors, options.shard_bytes_max);
  for (const Shard& shard : shards) {
    RIVAL_ASSIGN_OR_RETURN(AtomicFileWriter file, AtomicFileWriter::create(folder / shard.file_name));
    RIVAL_RETURN_IF_ERROR(
        file.write(encode_header(tensors.subspan(shard.begin, shard.end - shard.begin), options.metadata)));
    for (size_t i = shard.begin; i < shard.end; ++i)
      RIVAL_RETURN_IF_ERROR(write_tensor(file, tensors[i], i, produce));
    RIVAL_RETURN_IF_ERROR(file.commit());
  }
  return shards.size() > 1 ? write_index(folder, tensors, shards) : Status{};
}

}  // namespace rival::format
