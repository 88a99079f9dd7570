// Compiled grammars that requests share: a grammar learns its masks while it is used, and clients send the same schemas
// again and again.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <string>

#include "text/grammar.h"

namespace rival::serve {

class GrammarCache {
 public:
  // The grammar kept under this key, or a new one by `compile`; errors are not kept. Any thread.
  text::Grammar::Compiled get(const std::string& key, const std::function<text::Grammar::Compiled()>& compile);

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const text::Grammar> grammar;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first; guarded by mutex_
};

}  // namespace rival::serve
