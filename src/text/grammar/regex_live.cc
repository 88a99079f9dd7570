// Emptiness of expressions with intersection or complement: best-first search over derivatives.
#include <algorithm>
#include <queue>
#include <unordered_map>

#include "base/limits.h"
#include "text/grammar/regex.h"

namespace rival::text::grammar {

bool RegexPool::live(RegexId id) {
  if (nodes_[id].live == Live::kUnknown) return search_live(id);
  return nodes_[id].live == Live::kYes;
}

// Expands the expression whose shortest member may be nearest first; every expression on the path to a member is
// live, and if the search runs dry all that it visited are empty.
bool RegexPool::search_live(RegexId start) {
  std::unordered_map<RegexId, RegexId> came_from{{start, start}};
  using Entry = std::pair<uint32_t, RegexId>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  open.emplace(nodes_[start].min_length, start);
  std::vector<char32_t> starts;
  auto mark_path = [&](RegexId id) {
    for (;; id = came_from.at(id)) {
      nodes_[id].live = Live::kYes;
      if (id == start) return;
    }
  };
  const uint64_t work_max = work_ + limits::kGrammarSearchWork;
  while (!open.empty()) {
    const RegexId id = open.top().second;
    open.pop();
    if (nodes_[id].nullable || nodes_[id].live == Live::kYes) return mark_path(id), true;
    starts.assign(1, 0);
    boundaries(id, &starts);
    std::sort(starts.begin(), starts.end());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    for (char32_t c : starts) {
      if (c > kCodePointMax) continue;
      if (work_ > work_max) return overflowed_ = true;
      const RegexId next = derivative(id, c);
      if (nodes_[next].live == Live::kNo || !came_from.emplace(next, id).second) continue;
      open.emplace(nodes_[next].min_length, next);
    }
  }
  for (const auto& [id, from] : came_from) nodes_[id].live = Live::kNo;
  return false;
}

}  // namespace rival::text::grammar
