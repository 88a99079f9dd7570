#include "serve/schema.h"

namespace rival::serve {

// A response as its client sees it (`body`, JSON), what it was asked (response_items), and where it stands in a chain.
// `owner` tells the keys' objects apart. `events`: those of a finished background answer, one JSON text a line.
const char kResponseTables[] = R"(
CREATE TABLE responses(
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  created INTEGER NOT NULL,
  status TEXT NOT NULL,
  previous TEXT,
  conversation TEXT,
  body TEXT NOT NULL,
  events TEXT
) STRICT;
CREATE INDEX responses_by_status ON responses(status);
CREATE TABLE response_items(
  response TEXT NOT NULL REFERENCES responses(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  id TEXT NOT NULL,
  item TEXT NOT NULL,
  PRIMARY KEY(response, position)
) STRICT, WITHOUT ROWID;
)";

}  // namespace rival::serve
