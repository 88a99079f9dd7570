#include <cstring>

#include "model/kv_storage.h"

namespace rival::model {
namespace {

uint64_t layer_bytes(const ModelConfig& config, const LayerConfig& layer, KvType type) {
  return layer.n_head_kv * ops::KvLayer::head_bytes(config.head_dim_k, config.head_dim_v, page_type(type));
}

}  // namespace

uint64_t KvStore::bytes_per_page(const ModelConfig& config, KvType type) {
  uint64_t bytes = 0;
  for (const LayerConfig& layer : config.layers) bytes += layer_bytes(config, layer, type);
  return Arena::rounded(bytes);
}

KvStore::KvStore(const ModelConfig& config, KvType type, uint32_t page_count) : storage_(new Storage) {
  static_assert(kPagePositions == static_cast<uint32_t>(kernels::kPagePositions));
  Storage& s = *storage_;
  s.type = type;
  s.pages = page_count;
  s.page_bytes = bytes_per_page(config, type);
  s.dk = config.head_dim_k;
  s.dv = config.head_dim_v;
  uint64_t offset = 0;
  for (const LayerConfig& layer : config.layers) {
    s.layer_offset.push_back(offset);
    offset += layer_bytes(config, layer, type);
  }
  Result<Arena> arena = Arena::create(s.page_bytes * page_count);
  RIVAL_CHECK(arena.ok(), "{}", arena.error().message);
  s.arena = std::move(arena).value();
}

KvStore::~KvStore() = default;
uint32_t KvStore::page_count() const { return storage_->pages; }
KvType KvStore::type() const { return storage_->type; }

void KvStore::copy_page(PageId from, PageId to) {
  RIVAL_CHECK(from < storage_->pages && to < storage_->pages);
  std::byte* base = storage_->arena.data();
  std::memcpy(base + to * storage_->page_bytes, base + from * storage_->page_bytes, storage_->page_bytes);
}

}  // namespace rival::model
