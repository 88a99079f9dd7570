// Which type each tensor gets when a model is quantised as "Q4_K_M" and the like. The names and choices are
// those that users of GGUF files know; facts from llama.cpp's src/llama-quant.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace rival::model {

struct Mixture {
  std::string_view name;
  DType base;          // what a matrix gets where no rule says otherwise
  uint32_t file_type;  // general.file_type
};

std::span<const Mixture> mixtures();
// Case does not matter; Q3_K, Q4_K and Q5_K mean their _M form.
std::optional<Mixture> find_mixture(std::string_view name);
// The name for general.file_type, or nullopt.
std::optional<std::string_view> find_file_type(uint32_t file_type);

struct MixtureModel {
  uint32_t layers = 0;
  uint32_t experts = 0;         // 0 for a dense model
  uint32_t heads_per_kv = 1;    // query heads that share one key and value head
  bool tied_output = false;     // the token embedding is the output matrix too
  bool has_importance = false;  // an importance matrix is at hand
};

// A matrix that a mixture may quantise: no vector, norm, router, position or type embedding.
bool is_quantizable(std::string_view name, const Shape& shape);

// The type for a tensor of GGUF name `name`. What is not quantizable keeps `stored`; a row that is not whole
// blocks falls back to a type of shorter blocks, in the end F16.
DType choose_type(const Mixture& mixture, const MixtureModel& model, std::string_view name,
                  const Shape& shape, DType stored);

}  // namespace rival::model
