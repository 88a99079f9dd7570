// For tests: the random-weight models of golden/NAME.json (written by tools/golden_models.py), their weights
// made anew from the names of their tensors.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/source.h"
#include "text/vocabulary.h"

namespace rival::model {

struct GoldenModel {
  std::string name;
  std::filesystem::path folder;  // config.json and model.safetensors
  std::vector<text::TokenId> ids;
  bool embedding = false;  // one pooled row instead of logits
  size_t column_step = 1;
  std::vector<std::vector<double>> columns;  // of every position: each column_step-th value
  std::vector<double> sums;                  // of every position: over all columns
  double max = 0.0;                          // largest absolute value of all
};

std::vector<std::string> golden_names();

// Writes the model's folder below the tests' temporary folder.
GoldenModel make_golden(const std::string& name);

// Logits of every position, or the pooled embedding, in slices of at most `chunk` tokens. The source is made ready for
// the golden's length.
std::vector<float> run_golden(ModelSource& source, const GoldenModel& golden, size_t chunk, uint32_t threads);

}  // namespace rival::model
