#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace rival {

void check_failed(const char* file, int line, const char* condition, const std::string& message) {
  fmt::print(stderr, "rival: internal error at {}:{}: {} does not hold. {}\n", file, line, condition, message);
  std::abort();
}

}  // namespace rival
