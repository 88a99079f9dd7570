#include "model/golden_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/json.h"
#include "base/thread_team.h"
#include "format/safetensors_writer.h"
#include "model/decoder.h"
#include "model/source.h"

namespace rival::model {
namespace {

const std::filesystem::path kFolder = RIVAL_SOURCE_DIR "/src/model/golden";

// Numbers in [-1, 1) that follow from a name: splitmix64 over FNV-1a of it, as `uniform` of the tool.
class Uniform {
 public:
  explicit Uniform(std::string_view name) {
    for (const char c : name) state_ = (state_ ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  }
  double next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return static_cast<double>((z ^ z >> 31) >> 40) / 0x1p23 - 1.0;
  }

 private:
  uint64_t state_ = 0xCBF29CE484222325u;
};

struct TensorRow {
  format::SafetensorsPlan plan;
  double offset, scale;
};

TensorRow tensor_row(const json::array& row) {
  TensorRow tensor;
  tensor.plan.name = row[0].get_string();
  for (const json::value& dim : row[1].get_array()) tensor.plan.shape.push_back(dim.to_number<uint64_t>());
  tensor.plan.type = row[2].get_string() == "U8" ? DType::kI8 : DType::kF32;
  tensor.offset = row[3].to_number<double>();
  tensor.scale = row[4].to_number<double>();
  return tensor;
}

std::vector<std::byte> tensor_bytes(const TensorRow& tensor) {
  uint64_t count = 1;
  for (const uint64_t dim : tensor.plan.shape) count *= dim;
  const bool byte = tensor.plan.type == DType::kI8;
  std::vector<std::byte> bytes(count * (byte ? 1 : sizeof(float)));
  Uniform uniform(tensor.plan.name);
  for (uint64_t i = 0; i < count; ++i) {
    const double value = tensor.offset + tensor.scale * uniform.next();
    if (byte) {
      bytes[i] = static_cast<std::byte>(static_cast<uint8_t>(value));
    } else {
      const auto single = static_cast<float>(value);
      std::memcpy(&bytes[i * sizeof single], &single, sizeof single);
    }
  }
  return bytes;
}

void write_weights(const std::filesystem::path& folder, const json::array& rows) {
  std::vector<TensorRow> tensors;
  std::vector<format::SafetensorsPlan> plans;
  for (const json::value& row : rows) {
    tensors.push_back(tensor_row(row.get_array()));
    plans.push_back(tensors.back().plan);
  }
  const Status written = format::write_safetensors(
      folder, plans,
      [&](size_t index, const format::TensorSink& sink) { return sink(tensor_bytes(tensors[index])); });
  ASSERT_TRUE(written.ok()) << written.error().message;
}

}  // namespace

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

GoldenModel make_golden(const std::string& name) {
  const json::value file = *parse_json(*read_file(kFolder / (name + ".json"), 1 << 20));
  GoldenModel golden;
  golden.name = name;
  golden.folder = std::filesystem::path(testing::TempDir()) / ("golden_" + name);
  std::filesystem::create_directories(golden.folder);
  EXPECT_TRUE(write_file_atomically(golden.folder / "config.json", to_json_text(file.at("config"))).ok());
  write_weights(golden.folder, file.at("tensors").as_array());
  for (const json::value& id : file.at("ids").as_array()) golden.ids.push_back(id.to_number<text::TokenId>());
  for (const json::value& row : file.at("columns").as_array()) {
    auto& columns = golden.columns.emplace_back();
    for (const json::value& value : row.as_array()) columns.push_back(value.to_number<double>());
  }
  for (const json::value& sum : file.at("sums").as_array()) golden.sums.push_back(sum.to_number<double>());
  golden.embedding = file.at("embedding").as_bool();
  golden.column_step = file.at("column_step").to_number<size_t>();
  golden.max = file.at("max").to_number<double>();
  return golden;
}

std::vector<float> run_golden(ModelSource& source, const GoldenModel& golden, size_t chunk,
                              uint32_t threads) {
  choose_context(source, static_cast<uint32_t>(golden.ids.size()));
  ThreadTeam team(threads);
  const auto decoder = Decoder::create(source, team);
  EXPECT_TRUE(decoder.ok()) << decoder.error().message;
  if (!decoder.ok()) return {};
  std::vector<float> all, part;
  const std::span<const text::TokenId> ids = golden.ids;
  std::vector<PageId> pages;
  for (PageId page = 0; page * kPagePositions < ids.size(); ++page) pages.push_back(page);
  if (golden.embedding) {
    const SequenceSlice slice = {.tokens = ids, .position = 0, .pages = {}, .logits_count = 0};
    EXPECT_TRUE((*decoder)->embed({&slice, 1}, all).ok());
    return all;
  }
  KvStore kv(source.config, KvType::kF32, static_cast<uint32_t>(pages.size()));
  for (size_t at = 0; at < ids.size(); at += chunk) {
    const size_t count = std::min(chunk, ids.size() - at);
    const SequenceSlice slice = {.tokens = ids.subspan(at, count),
                                 .position = static_cast<uint32_t>(at),
                                 .pages = pages,
                                 .logits_count = static_cast<uint32_t>(count)};
    const Status status = (*decoder)->forward({&slice, 1}, kv, part);
    EXPECT_TRUE(status.ok()) << status.error().message;
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

namespace {

// Products with quantised weights quantise activations to 8 bits: the reference does not.
double tolerance_factor(const ModelSource& source) {
  const bool quantized =
      !source.layers[0].expert_up.empty() && source.layers[0].expert_up[0].type == DType::kMXFP4;
  return quantized ? 20.0 : 1.0;
}

// The largest difference, in units of the tolerance 1e-4 * max(1, |logit|max).
double share_of_tolerance(const GoldenModel& golden, const std::vector<float>& found) {
  const double tolerance = 1e-4 * std::max(1.0, golden.max);
  const size_t rows = golden.sums.size(), width = found.size() / rows;
  double worst = found.size() == rows * width && width > 0 ? 0.0 : INFINITY;
  for (size_t row = 0; row < rows && worst < INFINITY; ++row) {
    double sum = 0.0;
    for (size_t column = 0; column < width; ++column) sum += found[row * width + column];
    worst = std::max(worst, std::abs(sum - golden.sums[row]) / static_cast<double>(width));
    for (size_t i = 0; i < golden.columns[row].size(); ++i)
      worst = std::max(worst, std::abs(found[row * width + i * golden.column_step] - golden.columns[row][i]));
  }
  return worst / tolerance;
}

class GoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, LogitsAreThoseOfTheReference) {
  const GoldenModel golden = make_golden(GetParam());
  auto source = open_model(golden.folder);
  ASSERT_TRUE(source.ok()) << source.error().message;
  // In one piece, and cut so that windows and pages meet the cuts: the same numbers.
  const std::vector<float> whole = run_golden(*source, golden, 512, 1);
  EXPECT_EQ(whole, run_golden(*source, golden, 3, 2));
  const double share = share_of_tolerance(golden, whole);
  RecordProperty("share_of_tolerance", std::to_string(share));
  EXPECT_LE(share, tolerance_factor(*source));
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace rival::model
