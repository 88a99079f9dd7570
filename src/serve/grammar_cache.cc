#include "serve/grammar_cache.h"

#include <algorithm>

#include "base/limits.h"

namespace rival::serve {

text::Grammar::Compiled GrammarCache::get(const std::string& key, const std::function<text::Grammar::Compiled()>& compile) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
    if (found != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, found);
      return found->grammar;
    }
  }
  RIVAL_ASSIGN_OR_RETURN(std::shared_ptr<const text::Grammar> grammar, compile());
  const std::lock_guard lock(mutex_);
  entries_.push_front({key, grammar});
  if (entries_.size() > limits::kGrammarsKeptMax) entries_.pop_back();
  return grammar;
}

}  // namespace rival::serve
