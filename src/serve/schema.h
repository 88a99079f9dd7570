// The tables of the server's database, as the steps that made them.
#pragma once

#include <span>
#include <string_view>

namespace rival::serve {

// One step of the schema. A step that a released version had is never changed: what comes later is a step of its own.
struct Migration {
  std::string_view name;
  const char* sql;
};

// All steps in order. The file's version (PRAGMA user_version) counts those that it has taken.
std::span<const Migration> schema();

// ---- the steps, each in the file whose code reads and writes its tables ----

extern const char kResponseTables[];      // response_store.cc
extern const char kConversationTables[];  // conversation_store.cc
extern const char kPageTables[];          // chat_store.cc
extern const char kResponseEventTables[]; // response_log.cc

}  // namespace rival::serve
