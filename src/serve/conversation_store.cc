#include "serve/schema.h"

namespace rival::serve {

const char kConversationTables[] = R"(
CREATE TABLE conversations(
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  created INTEGER NOT NULL,
  metadata TEXT NOT NULL
) STRICT;
CREATE TABLE conversation_items(
  conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY(conversation, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversation_items_by_id ON conversation_items(conversation, id);
)";

}  // namespace rival::serve
