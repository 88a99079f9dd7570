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
  t.store_f16 = store_f16;
  t.store_q8 = store_q8;
  t.attend_f16 = attend<false>;
  t.attend_q8 = attend<true>;
  t.merge_part = merge_part;
  t.peak_fma = peak_fma;
  t.peak_dot = peak_dot;
  return t;
}
