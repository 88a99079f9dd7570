// Importance matrices: for every weight matrix the mean square of each activation that meets it, measured on
// real text. Quantisers keep those columns best that matter most. Files are GGUF as llama.cpp writes them:
// general.type "imatrix", tensors NAME.in_sum2 [columns, matrices] (sums of squares) and NAME.counts [1,
// matrices].
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rival::format {

struct Importance {
  uint64_t columns = 0;
  std::vector<float> sums;    // [matrices][columns], of squares
  std::vector<float> counts;  // [matrices], activations summed; 0 where an expert was never used

  // The mean squares of matrix `index`; all ones where nothing was counted.
  std::vector<float> mean_squares(uint64_t index) const;
};

struct ImportanceMatrix {
  std::map<std::string, Importance, std::less<>> tensors;  // by the weight's GGUF name
  uint32_t chunk_tokens = 0;                               // tokens of one piece of the text
  uint32_t chunks = 0;
  std::vector<std::string> texts;  // names of what it was measured on

  const Importance* find(std::string_view tensor) const;
};

// Errors: kCorrupt, with tensor and field, when sums and counts do not fit together or are negative or not
// finite; kUnsupported for another kind of file.
Result<ImportanceMatrix> read_importance(const std::filesystem::path& path);
Status write_importance(const std::filesystem::path& path, const ImportanceMatrix& matrix);

}  // namespace rival::format
