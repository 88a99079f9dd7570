#include "serve/schema.h"

namespace rival::serve {

std::span<const Migration> schema() {
  static constexpr Migration kSteps[] = {
      {"responses", kResponseTables},
      {"conversations", kConversationTables},
      {"page", kPageTables},
  };
  return kSteps;
}

}  // namespace rival::serve
