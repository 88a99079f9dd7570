// The rows of one instruction set's table. Included last.
constexpr KernelTable make_table(const char* name) {
  KernelTable t{};
  t.name = name;
  fill_widths<0>(t);
  t.quantize_activation = quantize_activation;
  t.rms_norm = rms_norm;
  t.layer_norm = layer_norm;
  t.add = add;
  t.multiply_add = multiply_add;
  t.scale = scale;
  t.softcap = softcap;
  t.gate = gate;
  t.softmax = softmax;
  t.rotary = rotary;
  t.pages[(int)PageType::kF16] = {store_f16, attend<PageType::kF16>};
  t.pages[(int)PageType::kQ8] = {store_q8, attend<PageType::kQ8>};
  t.pages[(int)PageType::kF32] = {store_f32, attend<PageType::kF32>};
  t.merge_part = merge_part;
  t.peak_fma = peak_fma;
  t.peak_dot = peak_dot;
  return t;
}
