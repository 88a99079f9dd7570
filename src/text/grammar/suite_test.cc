// The official test suite of JSON Schema, drafts 7 and 2020-12: each group is judged rightly or refused by name. The
// suite is not part of this tree; RIVAL_SHARED (or ../shared) says where it lies.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "text/grammar.h"
#include "text/grammar/test_vocabulary.h"

namespace rival::text {
namespace {

std::string unpack(const std::filesystem::path& path) {
  std::string text;
  FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  char buffer[1 << 16];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
  pclose(pipe);
  return text;
}

// JSON as common printers write it: doubles without an exponent where they can be.
std::string to_plain_text(const json::value& v) {
  std::string text;
  if (v.is_double()) {
    text = fmt::format("{}", v.get_double());
    return text.find_first_of(".e") == text.npos ? text + ".0" : text;
  }
  if (const json::array* a = v.if_array()) {
    for (const json::value& item : *a) text += (text.empty() ? "" : ", ") + to_plain_text(item);
    return "[" + text + "]";
  }
  if (const json::object* o = v.if_object()) {
    for (const auto& m : *o) text += (text.empty() ? "" : ", ") + to_json_text(json::value(m.key())) + ": " + to_plain_text(m.value());
    return "{" + text + "}";
  }
  return to_json_text(v);
}

// Groups that are judged otherwise, all towards refusing a text, and why.
const std::map<std::string, const char*> kExceptions = {
    {"hostname.json: validation of A-label (punycode) host names", "punycode is no regular language: such names are never written"},
    {"date-time.json: validation of date-time strings", "a leap second is only written as UTC shows it, 23:59:60Z"},
    {"time.json: validation of time strings", "a leap second is only written as UTC shows it, 23:59:60Z"},
    {"vocabulary.json: schema that uses custom metaschema with with no validation vocabulary", "an unknown $schema is read as 2020-12"}};

TEST(Suite, EachGroupIsJudgedRightlyOrRefusedByName) {
  const char* shared = std::getenv("RIVAL_SHARED");
  const std::filesystem::path path = std::filesystem::path(shared != nullptr ? shared : RIVAL_SOURCE_DIR "/../shared") / "data/schemas/json_schema_suite.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": set RIVAL_SHARED";
  std::string text = unpack(path);
  int groups = 0, refused = 0;
  for (size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
    const json::value row = parse_json(std::string_view(text).substr(at, end - at)).value();
    const std::string file(row.at("file").as_string());
    json::value schema = row.at("schema");
    const bool draft7 = row.at("draft").as_string() == "draft7";
    if (draft7 && schema.is_object() && !schema.as_object().contains("$schema")) schema.as_object()["$schema"] = "http://json-schema.org/draft-07/schema#";
    ++groups;
    const Grammar::Compiled compiled = Grammar::json_schema(grammar::test_vocabulary(), schema, {.formats = file.find("optional/format") != file.npos});
    if (!compiled.ok()) {
      const std::string& message = compiled.error().message;
      const bool named = message.find("not supported") != message.npos || message.find("allows no value") != message.npos ||
                         message.find("more than") != message.npos;
      EXPECT_TRUE(named) << file << ": " << row.at("description") << ": " << message;
      ++refused;
      continue;
    }
    bool right = true, accepted_wrongly = false;
    for (const json::value& test : row.at("tests").as_array()) {
      GrammarState state(*compiled);
      const bool accepted = state.accept_bytes(to_plain_text(test.at("data"))) && state.is_complete();
      right &= accepted == test.at("valid").as_bool();
      accepted_wrongly |= accepted && !test.at("valid").as_bool();
    }
    const std::string name = file.substr(file.rfind('/') + 1) + ": " + std::string(row.at("description").as_string());
    EXPECT_TRUE(right || kExceptions.contains(name)) << file << ": " << name;
    EXPECT_FALSE(accepted_wrongly) << file << ": " << name;
  }
  EXPECT_EQ(groups, 694);
  EXPECT_LT(refused, 110);
}

}  // namespace
}  // namespace rival::text
