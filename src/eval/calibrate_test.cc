#include "eval/calibrate.h"

#include <gtest/gtest.h>

#include "base/thread_team.h"
#include "model/model_contents.h"
#include "model/source.h"
#include "model/tiny_gguf.h"

namespace rival::eval {
namespace {

TEST(Calibrate, CountsWholeWindowsAndIsReadBack) {
  const auto path = model::tiny_llama().write("calibrate.gguf");
  ThreadTeam team(2);
  const auto decoder = model::Decoder::create(*model::open_model(path), team);
  ASSERT_TRUE(decoder.ok()) << decoder.error().message;
  const auto contents = model::read_contents(path);
  std::vector<text::TokenId> ids(50);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<text::TokenId>(i * 7 % 40);
  const auto matrix = calibrate(**decoder, contents->tensors, ids, {.context = 16, .bos = 1});
  ASSERT_TRUE(matrix.ok()) << matrix.error().message;
  EXPECT_EQ(matrix->chunks, 3u);
  EXPECT_EQ(matrix->tensors.size(), 14u);
  EXPECT_EQ(matrix->find("blk.1.ffn_down.weight")->counts[0], 48.0f);
  EXPECT_EQ(matrix->find("token_embd.weight"), nullptr);

  const auto file = std::filesystem::path(testing::TempDir()) / "calibrate.imatrix";
  ASSERT_TRUE(format::write_importance(file, *matrix).ok());
  const auto back = format::read_importance(file);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->find("blk.0.attn_q.weight")->sums, matrix->find("blk.0.attn_q.weight")->sums);
  EXPECT_EQ(back->chunks, 3u);

  const auto none = calibrate(**decoder, contents->tensors, std::span(ids).first(15), {.context = 16});
  EXPECT_EQ(none.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace rival::eval
