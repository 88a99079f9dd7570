#include "format/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rival::format {
namespace {

using testing::HasSubstr;

// A GGUF file written byte by byte, so that the reader is not tested by our own writer alone.
struct Bytes {
  std::string text;

  template <typename T>
  Bytes& put(T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& string(std::string_view value) {
    put<uint64_t>(value.size());
    text += value;
    return *this;
  }
  std::span<const std::byte> span() const { return std::as_bytes(std::span(text)); }
};

Bytes header(uint64_t tensors, uint64_t keys) {
  Bytes bytes;
  bytes.text = "GGUF";
  return bytes.put<uint32_t>(3).put(tensors).put(keys);
}

TEST(Gguf, ReadsEveryMetadataType) {
  Bytes file = header(0, 10);
  file.string("a.u8").put(0u).put<uint8_t>(200);
  file.string("a.i64").put(11u).put<int64_t>(-5);
  file.string("a.u64").put(10u).put<uint64_t>(7'000'000'000);
  file.string("a.f32").put(6u).put(1.5f);
  file.string("a.f64").put(12u).put(0.25);
  file.string("a.bool").put(7u).put<uint8_t>(1);
  file.string("a.text").put(8u).string("hello");
  file.string("a.words").put(9u).put(8u).put<uint64_t>(3).string("x").string("").string("yz");
  file.string("a.i16s").put(9u).put(3u).put<uint64_t>(2).put<int16_t>(-1).put<int16_t>(2);
  file.string("a.f32s").put(9u).put(6u).put<uint64_t>(1).put(2.5f);
  const auto contents = parse_gguf(file.span());
  ASSERT_TRUE(contents.ok()) << contents.error().message;
  const Metadata& metadata = contents->metadata;
  EXPECT_EQ(*metadata.get_u32("a.u8"), 200u);
  EXPECT_EQ(*metadata.get_i64("a.i64"), -5);
  EXPECT_EQ(*metadata.get_u64("a.u64"), 7'000'000'000u);
  EXPECT_EQ(*metadata.get_f32("a.f32"), 1.5f);
  EXPECT_EQ(*metadata.get_f32("a.f64"), 0.25f);
  EXPECT_TRUE(*metadata.get_bool("a.bool"));
  EXPECT_EQ(*metadata.get_string("a.text"), "hello");
  EXPECT_THAT(*metadata.get_strings("a.words"), testing::ElementsAre("x", "", "yz"));
  EXPECT_THAT(*metadata.get_i32s("a.i16s"), testing::ElementsAre(-1, 2));
  EXPECT_THAT(*metadata.get_f32s("a.f32s"), testing::ElementsAre(2.5f));
  EXPECT_THAT(*metadata.get_u32_per_layer("a.u8", 2), testing::ElementsAre(200, 200));
  EXPECT_EQ(*metadata.get_u32_or("a.none", 3), 3u);
}

TEST(Gguf, GettersNameKeyAndTypes) {
  Bytes file = header(0, 3);
  file.string("k.i64").put(11u).put<int64_t>(-5);
  file.string("k.text").put(8u).string("hello");
  file.string("k.nan").put(6u).put(std::numeric_limits<float>::quiet_NaN());
  const auto contents = parse_gguf(file.span());
  ASSERT_TRUE(contents.ok()) << contents.error().message;
  const Metadata& metadata = contents->metadata;
  EXPECT_EQ(metadata.get_u32("k.i64").error().message, "metadata 'k.i64' is -5; expected 0 to 4294967295");
  EXPECT_EQ(metadata.get_u32("k.text").error().message,
            "metadata 'k.text' is of type string; expected an integer");
  EXPECT_EQ(metadata.get_u32_or("k.text", 1).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(metadata.get_string("k.none").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(metadata.get_f32("k.nan").error().message, HasSubstr("finite"));
  EXPECT_THAT(metadata.get_strings("k.text").error().message, HasSubstr("expected array of string"));
}

TEST(Gguf, TensorsAreViewsOfTheFile) {
  Bytes file = header(2, 0);
  file.string("a").put(2u).put<uint64_t>(4).put<uint64_t>(2).put(0u).put<uint64_t>(0);
  file.string("b").put(1u).put<uint64_t>(32).put(8u).put<uint64_t>(32);
  file.text.resize((file.text.size() + 31) / 32 * 32);
  const size_t data = file.text.size();
  file.text.resize(data + 32 + 34);
  const auto contents = parse_gguf(file.span());
  ASSERT_TRUE(contents.ok()) << contents.error().message;
  const TensorView& a = contents->tensors[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.shape.row(), 4u);
  EXPECT_EQ(a.shape.rows(), 2u);
  EXPECT_EQ(a.bytes.data(), file.span().data() + data);
  EXPECT_EQ(contents->tensors[1].type, DType::kQ8_0);
  EXPECT_EQ(contents->tensors[1].bytes.size(), 34u);
  file.text.pop_back();
  EXPECT_THAT(parse_gguf(file.span()).error().message, HasSubstr("takes 34 bytes at offset 32"));
}

}  // namespace
}  // namespace rival::format
