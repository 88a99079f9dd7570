// How Hugging Face folders name and lay out the tensors that GGUF names by role.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace rival::model {

enum class HfLayout : uint8_t {
  kPlain,              // [out, in], as in GGUF
  kTransposed,         // [in, out]: GPT-2's Conv1D
  kEachExpert,         // one tensor an expert; the name holds {e}
  kStackedPlain,       // [experts, out, in]
  kStackedTransposed,  // [experts, in, out]
  kStackedEven,        // [experts, in, 2 * out], even columns (gpt-oss gate); biases [experts, 2 * out]
  kStackedOdd,         // the odd columns (up)
  kStackedFirst,       // [experts, 2 * out, in], the first half of the rows
  kStackedSecond,
};

// "{n}" in a name stands for the layer. Names are without the model's own prefix ("model.", "transformer.").
struct HfName {
  std::string_view role;  // GGUF's name with ".weight" or ".bias", without "blk.N."
  std::string_view name;
  HfLayout layout = HfLayout::kPlain;
};

// A number that config.json may leave out, by its name there.
struct HfDefault {
  std::string_view key;
  double value;
};

// The names that most models share; a role that the row names itself is not looked for here. Of several names for
// one role the first is written.
std::span<const HfName> common_hf_names();

}  // namespace rival::model
