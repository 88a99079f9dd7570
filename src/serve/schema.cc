#include "serve/schema.h"

namespace rival::serve {

std::span<const Migration> schema() {
  static constexpr Migration kSteps[] = {
      {"responses", kResponseTables},
      {"conversations", kConversationTables},
      {"page", kPageTables},
      {"response events", kResponseEventTables},
  };
  return kSteps;
}

}  // namespace rival::serve
