// The kernels of one instruction set, as a table of functions. Each is compiled once for every set that the build
// knows; dispatch.h picks the best one that this CPU has. Shapes and units stand here; the loops in *.inl.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/packed.h"

namespace rival::kernels {

// A tile times a panel of quantised activations, cols = 32 * blocks. Writes out[column * stride + row] for the columns
// of the panel and all 32 rows of the tile.
using QuantizedTile = void (*)(const uint8_t* tile, const ActivationBlock* panel, size_t blocks, float* out, size_t stride);
// A plain tile times a panel of float activations, panel[col * kPanelColumns + column].
using PlainTile = void (*)(const uint8_t* tile, const float* panel, size_t cols, float* out, size_t stride);

// Which two dimensions of a head turn together.
enum class RotaryPairs : uint8_t { kAdjacent, kHalves };
enum class GateKind : uint8_t { kSilu, kGeluTanh, kGeluErf, kRelu, kReluSquared, kSwigluOai };

enum class PageType : uint8_t { kF16, kQ8, kF32 };
constexpr int kPageTypes = 3;

// Rows of values are padded with zeros to whole registers of the widest instruction set.
constexpr int value_stride(int dv) { return (dv + 15) / 16 * 16; }

// Keys and values of one KV head in one page of 32 positions; S = value_stride(dv).
//   kF16: keys f16 [dk][32], values f16 [32][S]
//   kQ8:  keys i8 [dk][32], key_scales f32 [32]; values i8 [32][S], value_scales f32 [32]
//   kF32: keys f32 [dk][32], values f32 [32][S]
struct PageView {
  uint8_t* keys;
  uint8_t* values;
  float* key_scales;
  float* value_scales;
};
constexpr int kPagePositions = 32;
constexpr int kChunkPages = 8;  // attention is summed up in chunks of 8 pages, at fixed positions
constexpr int kChunkPositions = kPagePositions * kChunkPages;

// Rows of queries that look at the same KV head. Row r sees positions first[r] .. last[r].
struct AttentionRows {
  int rows;
  int dk, dv;
  const float* queries;    // [rows][dk]
  const int32_t* first;
  const int32_t* last;
  float scale;             // of q.k
  float softcap;           // 0 = none
  const float* heat = nullptr;  // [rows], factors of the scores after the cap; null: 1
};

// The part of softmax(q.K).V that one chunk gives: for each row the largest score, the sum of exp(score - max)
// and the sum of exp(score - max) * value. Rows that see nothing get max = -infinity, sum = 0.
struct AttentionPart {
  float* max;     // [rows]
  float* sum;     // [rows]
  float* values;  // [rows][value_stride(dv)]
};

struct PageKernels {
  // Stores one token's key and value as position `slot` of a page.
  void (*store)(const PageView& page, int slot, const float* key, int dk, const float* value, int dv);
  // One chunk: pages[0 .. page_count) begin at position chunk_start. `scratch` holds rows * kChunkPositions floats.
  void (*attend)(const AttentionRows& rows, const PageView* pages, int page_count, int32_t chunk_start, float* scratch,
                 const AttentionPart& part);
};

struct KernelTable {
  const char* name;
  QuantizedTile quantized_tile[kQuantizedTypes][kPanelColumns];       // [type][width - 1]
  PlainTile plain_tile[kPackedTypes - kQuantizedTypes][kPanelColumns];

  // Quantises `count` values (a multiple of 32) of one token into column `column` of a panel.
  void (*quantize_activation)(const float* x, size_t count, ActivationBlock* panel, int column);

  // out = x / rms(x) * gain;  out = (x - mean) / std * gain + bias (bias may be null). gain may be null: all ones.
  void (*rms_norm)(const float* x, const float* gain, float eps, size_t count, float* out);
  void (*layer_norm)(const float* x, const float* gain, const float* bias, float eps, size_t count, float* out);

  void (*add)(float* x, const float* y, size_t count);                       // x += y
  void (*multiply_add)(float* x, const float* y, float factor, size_t count);// x += factor * y
  void (*scale)(const float* x, float factor, size_t count, float* out);      // out = factor * x
  void (*softcap)(float* x, float cap, size_t count);                        // x = cap * tanh(x / cap)
  // out = act(gate) * up; up may be null (ungated).
  void (*gate)(GateKind kind, const float* gate, const float* up, size_t count, float* out);
  void (*softmax)(float* x, size_t count);
  // Turns the first 2 * half dimensions of a head by the angles whose cosines and sines are given, [half] each.
  void (*rotary)(float* head, const float* cos, const float* sin, int half, RotaryPairs pairs);

  PageKernels pages[kPageTypes];
  // Adds a part to the running total (total.max = -infinity at first). Parts are merged in the order of positions.
  void (*merge_part)(int rows, int dv, const AttentionPart& total, const AttentionPart& part);

  // Peak loops for `rival bench`: a fixed amount of work in registers; they return the operations done.
  double (*peak_fma)(uint64_t iterations);   // fp32 multiply-adds, two operations each
  double (*peak_dot)(uint64_t iterations);   // int8 dot products, two operations a byte
};

}  // namespace rival::kernels
