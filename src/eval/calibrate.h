// An importance matrix measured on a text: the model reads it in windows, each from nothing, and the squares of what
// meets every weight matrix are summed (format/importance.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "format/encode.h"
#include "format/importance.h"
#include "model/decoder.h"

namespace rival::eval {

struct CalibrateOptions {
  uint32_t context = 512;                 // tokens of a window
  std::optional<text::TokenId> bos = {};  // takes the place of each window's first token
  uint32_t windows_max = 0;               // 0 = all
  std::function<void(uint32_t done, uint32_t of)> progress = {};
};

// `tensors` are those of the file that is to be quantised: the matrix has their names. A last part that is no whole
// window is left out. Errors: kInvalidArgument for a text under one window; those of the decoder.
Result<format::ImportanceMatrix> calibrate(model::Decoder& decoder, std::span<const format::TensorSource> tensors,
                                           std::span<const text::TokenId> tokens, const CalibrateOptions& options);

}  // namespace rival::eval
