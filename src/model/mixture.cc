#include "model/mixture.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace rival::model {
namespace {

constexpr Mixture kMixtures[] = {
    {"F32", DType::kF32, 0},        {"F16", DType::kF16, 1},      {"BF16", DType::kBF16, 32},
    {"Q4_0", DType::kQ4_0, 2},      {"Q4_1", DType::kQ4_1, 3},    {"Q5_0", DType::kQ5_0, 8},
    {"Q5_1", DType::kQ5_1, 9},      {"Q8_0", DType::kQ8_0, 7},    {"Q2_K", DType::kQ2_K, 10},
    {"Q3_K_S", DType::kQ3_K, 11},   {"Q3_K_M", DType::kQ3_K, 12}, {"Q3_K_L", DType::kQ3_K, 13},
    {"Q4_K_S", DType::kQ4_K, 14},   {"Q4_K_M", DType::kQ4_K, 15}, {"Q5_K_S", DType::kQ5_K, 16},
    {"Q5_K_M", DType::kQ5_K, 17},   {"Q6_K", DType::kQ6_K, 18},   {"IQ4_NL", DType::kIQ4_NL, 25},
    {"IQ4_XS", DType::kIQ4_XS, 30}, {"MXFP4", DType::kMXFP4, 38},
};

enum class Role { kKey, kValue, kAttentionOutput, kDown, kOutput, kOther };

// A tensor's part in the model, by its GGUF name. A fused QKV matrix is as sensitive as the values in it.
Role role_of(std::string_view name, bool tied_output) {
  if (name == "output.weight" || (tied_output && name == "token_embd.weight")) return Role::kOutput;
  const auto is = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (is("attn_v.") || is("attn_qkv.")) return Role::kValue;
  if (is("attn_k.")) return Role::kKey;
  if (is("attn_output.")) return Role::kAttentionOutput;
  if (is("ffn_down")) return Role::kDown;
  return Role::kOther;
}

// The N of "blk.N.", or 0.
uint32_t layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  uint32_t layer = 0;
  if (name.starts_with(kPrefix))
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  return layer;
}

// Where in a model a rule holds.
enum class Where {
  kEverywhere,
  kFirstTwo,
  kFirstFour,
  kFirstSixteenth,
  kFirstEighth,
  kFirstEighthPlain,      // of a file made without an importance matrix
  kFirstEighthImportant,  // of a file made with one
  kMoreBits,              // the first and last eighth, and every third layer between them
  kGrouped,               // at least four query heads share a value head
  kEightExperts,
};

bool holds(Where where, const MixtureModel& model, uint32_t layer) {
  const uint32_t n = model.layers;
  switch (where) {
    case Where::kEverywhere: return true;
    case Where::kFirstTwo: return layer < 2;
    case Where::kFirstFour: return layer < 4;
    case Where::kFirstSixteenth: return layer < n / 16;
    case Where::kFirstEighth: return layer < n / 8;
    case Where::kFirstEighthPlain: return layer < n / 8 && !model.has_importance;
    case Where::kFirstEighthImportant: return layer < n / 8 && model.has_importance;
    case Where::kMoreBits: return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
    case Where::kGrouped: return model.heads_per_kv >= 4;
    case Where::kEightExperts: return model.experts == 8;
  }
  return false;
}

// The first rule that fits decides. An empty mixture: all quantised ones.
struct Rule {
  std::string_view mixture;
  Role role;
  Where where;
  DType type;
};

constexpr Rule kRules[] = {
    // With eight experts the attention is a small part of the file.
    {"", Role::kValue, Where::kEightExperts, DType::kQ8_0},
    {"", Role::kKey, Where::kEightExperts, DType::kQ8_0},
    {"Q2_K", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},
    {"Q3_K_S", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},
    {"Q3_K_M", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},
    {"Q4_K_S", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},
    {"Q4_K_M", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},
    {"IQ4_NL", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},
    {"IQ4_XS", Role::kAttentionOutput, Where::kEightExperts, DType::kQ5_K},

    {"Q2_K", Role::kValue, Where::kGrouped, DType::kQ4_K},
    {"Q2_K", Role::kValue, Where::kEverywhere, DType::kQ3_K},
    {"Q2_K", Role::kDown, Where::kEverywhere, DType::kQ3_K},
    {"Q2_K", Role::kAttentionOutput, Where::kEverywhere, DType::kQ3_K},

    {"Q3_K_M", Role::kValue, Where::kFirstTwo, DType::kQ5_K},
    {"Q3_K_M", Role::kValue, Where::kEverywhere, DType::kQ4_K},
    {"Q3_K_M", Role::kDown, Where::kFirstSixteenth, DType::kQ5_K},
    {"Q3_K_M", Role::kDown, Where::kEverywhere, DType::kQ4_K},
    {"Q3_K_M", Role::kAttentionOutput, Where::kEverywhere, DType::kQ4_K},
    {"Q3_K_L", Role::kValue, Where::kEverywhere, DType::kQ5_K},
    {"Q3_K_L", Role::kDown, Where::kEverywhere, DType::kQ5_K},
    {"Q3_K_L", Role::kAttentionOutput, Where::kEverywhere, DType::kQ5_K},

    {"Q4_K_S", Role::kValue, Where::kFirstFour, DType::kQ5_K},
    {"Q4_K_S", Role::kDown, Where::kFirstEighth, DType::kQ5_K},
    {"Q4_K_M", Role::kValue, Where::kMoreBits, DType::kQ6_K},
    {"Q4_K_M", Role::kDown, Where::kMoreBits, DType::kQ6_K},
    {"Q5_K_M", Role::kValue, Where::kMoreBits, DType::kQ6_K},
    {"Q5_K_M", Role::kDown, Where::kMoreBits, DType::kQ6_K},

    {"IQ4_NL", Role::kValue, Where::kGrouped, DType::kQ5_K},
    {"IQ4_XS", Role::kValue, Where::kGrouped, DType::kQ5_K},
    {"IQ4_NL", Role::kDown, Where::kFirstEighthPlain, DType::kQ5_K},
    {"IQ4_XS", Role::kDown, Where::kFirstEighthPlain, DType::kQ5_K},
    {"Q4_0", Role::kDown, Where::kFirstEighthImportant, DType::kQ4_1},
    {"Q5_0", Role::kDown, Where::kFirstEighthImportant, DType::kQ5_1},
};

bool is_plain(DType type) { return dtype_info(type).block_elements == 1; }

// The output matrix decides over every token: 6 bits at least.
DType output_type(const Mixture& mixture, const Shape& shape) {
  const bool whole_blocks = shape.row() % dtype_info(mixture.base).block_elements == 0;
  if (mixture.base == DType::kMXFP4 || mixture.base == DType::kQ8_0 || !whole_blocks) return DType::kQ8_0;
  return DType::kQ6_K;
}

DType wanted_type(const Mixture& mixture, const MixtureModel& model, std::string_view name,
                  const Shape& shape) {
  const Role role = role_of(name, model.tied_output);
  if (role == Role::kOutput) return output_type(mixture, shape);
  // In a model of experts MXFP4 is for those alone; a dense one has nothing else to shrink.
  if (mixture.base == DType::kMXFP4 && model.experts > 0 && shape.dims[2] == 1) return DType::kQ8_0;
  if (mixture.base == DType::kMXFP4) return name == "token_embd.weight" ? DType::kQ8_0 : DType::kMXFP4;
  for (const Rule& rule : kRules)
    if ((rule.mixture.empty() || rule.mixture == mixture.name) && rule.role == role &&
        holds(rule.where, model, layer_of(name)))
      return rule.type;
  return mixture.base;
}

// A type for rows that are not whole blocks of `type`.
DType fall_back(DType type, uint64_t row) {
  if (row % dtype_info(type).block_elements == 0) return type;
  DType shorter = DType::kF16;
  switch (type) {
    case DType::kQ2_K:
    case DType::kQ3_K:
    case DType::kIQ4_XS: shorter = DType::kIQ4_NL; break;
    case DType::kQ4_K: shorter = DType::kQ5_0; break;
    case DType::kQ5_K: shorter = DType::kQ5_1; break;
    case DType::kQ6_K: shorter = DType::kQ8_0; break;
    default: break;
  }
  return row % dtype_info(shorter).block_elements == 0 ? shorter : DType::kF16;
}

}  // namespace

std::span<const Mixture> mixtures() { return kMixtures; }

std::optional<Mixture> find_mixture(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
  if (upper == "Q3_K" || upper == "Q4_K" || upper == "Q5_K") upper += "_M";
  for (const Mixture& mixture : kMixtures)
    if (mixture.name == upper) return mixture;
  return std::nullopt;
}

std::optional<std::string_view> find_file_type(uint32_t file_type) {
  for (const Mixture& mixture : kMixtures)
    if (mixture.file_type == file_type) return mixture.name;
  return std::nullopt;
}

bool is_quantizable(std::string_view name, const Shape& shape) {
  if (shape.rows() == 1 || !name.ends_with("weight")) return false;
  constexpr std::array kKept = {std::string_view("_norm.weight"), std::string_view("ffn_gate_inp.weight"),
                                std::string_view("position_embd.weight"),
                                std::string_view("token_types.weight"), std::string_view("rope_factors")};
  return std::none_of(kKept.begin(), kKept.end(), [&](auto part) { return name.find(part) != name.npos; });
}

DType choose_type(const Mixture& mixture, const MixtureModel& model, std::string_view name,
                  const Shape& shape, DType stored) {
  if (!is_quantizable(name, shape)) return stored;
  if (is_plain(mixture.base)) return mixture.base;
  return fall_back(wanted_type(mixture, model, name, shape), shape.row());
}

}  // namespace rival::model
