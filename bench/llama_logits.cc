// llama.cpp's logits at every position, one row a line: llama_logits MODEL.gguf 1,2,3. Built against a llama.cpp that
// bench/peers made; tools/golden_models.py llama compares them with Rival's. In the folder of bench/peers:
//   g++ -O2 -std=c++17 -Isource/include -Isource/ggml/include llama_logits.cc build/src/libllama.a
//     build/ggml/src/libggml{,-cpu,-base}.a -fopenmp -o llama_logits
#include <llama.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::vector<llama_token> ids;
  for (char* at = argv[2]; *at != 0; at += *at == ',') ids.push_back(static_cast<llama_token>(std::strtol(at, &at, 10)));
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_backend_init();
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (model == nullptr) return 1;
  llama_context_params params = llama_context_default_params();
  params.n_ctx = 512;
  params.type_k = params.type_v = GGML_TYPE_F32;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  llama_context* context = llama_init_from_model(model, params);
  const int count = static_cast<int>(ids.size());
  llama_batch batch = llama_batch_init(count, 0, 1);
  for (int i = 0; i < count; ++i) {
    batch.token[i] = ids[static_cast<size_t>(i)];
    batch.pos[i] = i;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  batch.n_tokens = count;
  if (context == nullptr || llama_decode(context, batch) != 0) return 1;
  const int width = llama_vocab_n_tokens(llama_model_get_vocab(model));
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < width; ++j) std::printf("%.9g%c", llama_get_logits_ith(context, i)[j], j + 1 < width ? ' ' : '\n');
  return 0;
}
