// The rows of the table in architecture.cc, each in its own file arch_NAME.cc.
#pragma once

#include "model/architecture.h"

namespace rival::model {

extern const Architecture kLlama, kSmolLm3, kQwen2, kQwen2Moe, kQwen3, kQwen3Moe, kGemma, kGemma2, kGemma3, kGpt2,
    kGptOss, kGrok, kBert, kOlmo2, kPhi3, kGranite, kStarCoder2;

}  // namespace rival::model
