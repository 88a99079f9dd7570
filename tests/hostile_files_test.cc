// Every row of the table through the reader, and through the whole program where RIVAL_BINARY names it; then
// a file cut at every byte and with every byte changed.
#include "hostile_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/source.h"
#include "raw_gguf.h"

namespace rival::tests {
namespace {

using testing::HasSubstr;

class HostileFiles : public testing::Test {
 protected:
  HostileFiles() { std::filesystem::create_directory(folder_); }
  ~HostileFiles() override { std::filesystem::remove_all(folder_); }

  // The row as a file, or for safetensors as a folder that is a model but for it.
  std::filesystem::path write(const HostileFile& row) const {
    if (row.kind != HostileKind::kSafetensors) return write_file("hostile.gguf", row.make());
    std::filesystem::remove(folder_ / "hostile.gguf");
    write_file("config.json", tiny_hf_config());
    write_file("model.safetensors", row.make());
    return folder_;
  }

  std::filesystem::path write_file(std::string_view name, std::string_view bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / fmt::format("rival_hostile_test_{}", ::getpid());
};

std::string open_error(const HostileFile& row, const std::filesystem::path& path) {
  if (row.kind == HostileKind::kModel) {
    const auto model = model::open_model(path);
    return model.ok() ? "opened" : model.error().message;
  }
  if (row.kind == HostileKind::kGguf) {
    const auto file = format::GgufFile::open(path);
    return file.ok() ? "opened" : file.error().message;
  }
  const auto file = format::SafetensorsFile::open(path);
  return file.ok() ? "opened" : file.error().message;
}

TEST_F(HostileFiles, TheReaderRefusesEveryRow) {
  for (const HostileFile& row : hostile_files())
    EXPECT_THAT(open_error(row, write(row)), HasSubstr(std::string(row.message))) << row.name;
}

TEST_F(HostileFiles, TheUneditedModelOpens) {
  const auto path = write_file("tiny.gguf", tiny_model().encode());
  const auto file = format::GgufFile::open(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 11u);
  const auto model = model::open_model(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_TRUE(model->tokenizer.has_value());
}

struct ProgramResult {
  int status = 0;  // as of waitpid
  std::string output;
};

ProgramResult run_program(const std::string& arguments) {
  const std::string command = fmt::format("'{}' {} 2>&1 </dev/null", std::getenv("RIVAL_BINARY"), arguments);
  ProgramResult result;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (const size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) result.output.append(buffer, n);
  result.status = ::pclose(pipe);
  return result;
}

TEST_F(HostileFiles, TheProgramRefusesEveryRow) {
  if (!std::getenv("RIVAL_BINARY")) GTEST_SKIP() << "RIVAL_BINARY does not name a program";
  for (const HostileFile& row : hostile_files()) {
    const auto path = write(row);
    for (const char* command : {"run '{}' hello", "inspect '{}'"}) {
      const auto result = run_program(fmt::format(fmt::runtime(command), path.string()));
      ASSERT_TRUE(WIFEXITED(result.status)) << row.name << ": " << result.output;
      EXPECT_NE(WEXITSTATUS(result.status), 0) << row.name << ", " << command;
      EXPECT_THAT(result.output, HasSubstr(std::string(row.message))) << row.name << ", " << command;
    }
  }
}

// ---- cut and changed files ------------------------------------------------------------------------------

// Uses all that a file that was accepted offers; the sanitizers watch.
size_t touch(const format::GgufContents& contents) {
  size_t sum = 0;
  for (const format::MetadataEntry& entry : contents.metadata.entries()) {
    sum += entry.to_json(4).kind() == json::kind::null;
    if (const auto strings = contents.metadata.get_strings(entry.key); strings.ok())
      for (const std::string_view text : *strings) sum += text.empty() ? 0 : static_cast<size_t>(text.back());
    if (const auto numbers = contents.metadata.get_i32s(entry.key); numbers.ok()) sum += numbers->size();
    if (const auto numbers = contents.metadata.get_f32s(entry.key); numbers.ok()) sum += numbers->size();
    sum += contents.metadata.get_u32_per_layer(entry.key, 1).ok();
  }
  for (const TensorView& tensor : contents.tensors)
    sum += std::to_integer<size_t>(tensor.bytes.front()) + std::to_integer<size_t>(tensor.bytes.back());
  return sum;
}

// A copy with nothing behind it, so that a read past the end is seen.
struct ExactCopy {
  explicit ExactCopy(std::string_view bytes) : data(new std::byte[bytes.size()]), size(bytes.size()) {
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), size, data.get());
  }
  std::span<const std::byte> span() const { return {data.get(), size}; }

  std::unique_ptr<std::byte[]> data;
  size_t size;
};

std::string small_safetensors() {
  constexpr std::string_view kHeader =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"BF16","shape":[2,2],"data_offsets":[8,16]}})";
  return raw<uint64_t>(kHeader.size()) + std::string(kHeader) + std::string(16, '\0');
}

TEST(CutFiles, GgufCutAnywhereIsRefused) {
  const std::string whole = tiny_model().encode();
  for (size_t size = 0; size < whole.size(); ++size) {
    const ExactCopy cut(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(format::parse_gguf(cut.span()).ok()) << size;
    if (size > 16'000) size += 97;  // deep in the data every cut is alike
  }
}

TEST(CutFiles, SafetensorsCutAnywhereIsRefused) {
  const std::string whole = small_safetensors();
  for (size_t size = 0; size < whole.size(); ++size)
    ASSERT_FALSE(format::parse_safetensors(ExactCopy(std::string_view(whole).substr(0, size)).span()).ok())
        << size;
}

// Calls `parse` with every byte of `whole` below `end` set to several other values.
template <typename Parse>
void change_every_byte(const std::string& whole, size_t end, const Parse& parse) {
  const ExactCopy copy(whole);
  for (size_t i = 0; i < end; ++i) {
    const std::byte right = copy.data[i];
    for (const int mask : {0x01, 0x02, 0x80, 0x20, 0xff}) {
      copy.data[i] = right ^ static_cast<std::byte>(mask);
      parse(copy.span());
    }
    for (const int value : {0x00, 0x7f}) {
      copy.data[i] = static_cast<std::byte>(value);
      parse(copy.span());
    }
    copy.data[i] = right;
  }
}

TEST(ChangedFiles, GgufWithAnyByteChangedIsReadOrRefused) {
  RawGguf model = tiny_model();
  const size_t header = model.encode().size() - model.data.size();
  size_t accepted = 0, sum = 0;
  change_every_byte(model.encode(), header, [&](std::span<const std::byte> bytes) {
    const auto contents = format::parse_gguf(bytes);
    if (contents.ok()) ++accepted, sum += touch(*contents);
  });
  EXPECT_GT(accepted, 0u);
  EXPECT_GT(sum, 0u);
}

// The whole way to a model: hyper-parameters, weights, tokenizer. The file is changed in place, byte by byte.
TEST_F(HostileFiles, ModelWithAnyByteChangedIsOpenedOrRefused) {
  const RawGguf model = tiny_model();
  const std::string bytes = model.encode();
  const auto path = write_file("changed.gguf", bytes);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto set_byte = [&](size_t at, char value) {
    file.seekp(static_cast<std::streamoff>(at)).put(value).flush();
  };
  size_t opened = 0;
  for (size_t i = 0; i < bytes.size() - model.data.size(); ++i) {
    set_byte(i, static_cast<char>(bytes[i] ^ (i % 3 == 0 ? 0xff : 1 << i % 8)));
    const auto source = model::open_model(path);
    if (source.ok() && source->tokenizer) opened += source->tokenizer->encode("the <s> a").ok();
    set_byte(i, bytes[i]);
  }
  EXPECT_GT(opened, 0u);
}

TEST(ChangedFiles, SafetensorsWithAnyByteChangedIsReadOrRefused) {
  const std::string whole = small_safetensors();
  size_t accepted = 0;
  change_every_byte(whole, whole.size(), [&](std::span<const std::byte> bytes) {
    const auto contents = format::parse_safetensors(bytes);
    if (!contents.ok()) return;
    ++accepted;
    for (const TensorView& tensor : contents->tensors) EXPECT_LE(tensor.bytes.size(), 16u);
  });
  EXPECT_GT(accepted, 0u);
}

}  // namespace
}  // namespace rival::tests
