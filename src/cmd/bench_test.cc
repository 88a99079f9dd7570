#include <gtest/gtest.h>

#include <vector>

#include "base/json.h"
#include "cmd/command.h"
#include "model/tiny_gguf.h"

namespace rival::cmd {
namespace {

// Runs a command as from the command line; its standard output.
std::string output_of(int (*run)(int, char**), std::vector<std::string> arguments, int status = 0) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(static_cast<int>(argv.size()), argv.data()), status);
  return testing::internal::GetCapturedStdout();
}

TEST(BenchCommand, ATinyRunTellsRatesLimitsAndPath) {
  const auto path = model::tiny_llama().write("bench_tiny.gguf");
  const auto text = output_of(run_bench, {"bench", path.string(), "--threads", "1", "--prefill", "8", "--decode", "2",
                                          "--batch", "1,2", "--depth", "0,32", "--json"});
  const auto value = parse_json(text);
  ASSERT_TRUE(value.ok()) << text;
  const auto& results = value->at("results").as_array();
  ASSERT_EQ(results.size(), 5u);
  EXPECT_EQ(results[0].at("test").as_string(), "prefill");
  EXPECT_EQ(results[0].at("tokens").as_int64(), 8);
  EXPECT_EQ(results[4].at("test").as_string(), "decode");
  EXPECT_EQ(results[4].at("batch").as_int64(), 2);
  EXPECT_EQ(results[4].at("depth").as_int64(), 32);
  for (const auto& result : results) {
    EXPECT_GT(result.at("tokens_per_s").as_double(), 0.0);
    EXPECT_GT(result.at("limit_share").as_double(), 0.0);
  }
  EXPECT_GT(value->at("limits").at("int8_ops_per_s").as_double(), 0.0);
  EXPECT_FALSE(value->at("path").as_string().empty());
  EXPECT_EQ(value->at("threads").as_int64(), 1);
}

TEST(BenchCommand, NothingToMeasureIsAnEmptyList) {
  const auto path = model::tiny_llama().write("bench_tiny.gguf");
  const auto text = output_of(run_bench, {"bench", path.string(), "--prefill", "0", "--batch", "0", "--json"});
  EXPECT_TRUE(parse_json(text)->at("results").as_array().empty());
}

TEST(EvalCommand, SaysWhatIsMissing) {
  const auto path = model::tiny_llama().write("bench_tiny.gguf");
  output_of(run_eval, {"eval", "perplexity", path.string(), "/nonexistent"}, 1);
  output_of(run_eval, {"eval", "guess"}, 2);
  output_of(run_eval, {"eval"}, 0);
}

}  // namespace
}  // namespace rival::cmd
