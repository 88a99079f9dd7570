#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "serve/routes.h"

namespace rival::serve {

extern const char kOpenapiJson[];

namespace {

// "GET /v1/models/{}": a parameter's name does not matter.
std::string row(std::string method, std::string_view path, bool prefix) {
  for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string out = method + ' ';
  bool inside = false;
  for (const char c : path) {
    if (c == '{') inside = true;
    if (!inside) out += c;
    if (c == '}') inside = false, out += "{}";
  }
  return prefix ? out + "{}" : out;
}

json::object document() {
  auto value = parse_json(kOpenapiJson);
  EXPECT_TRUE(value.ok()) << value.error().message;
  return std::move(value->get_object());
}

TEST(Openapi, HasTheRowsOfTheTableAndNoOthers) {
  std::set<std::string> told, there;
  const json::object all = document();
  for (const auto& [path, operations] : all.at("paths").as_object())
    for (const auto& [method, operation] : operations.as_object()) told.insert(row(std::string(method), path, false));
  there.insert("GET /");  // the page's, which has a table of its own
  for (const Route& route : routes()) there.insert(row(std::string(route.method), route.path, route.prefix));
  EXPECT_EQ(told, there);
}

TEST(Openapi, SaysWhichRoutesNeedNoKeyAndNoBody) {
  const json::object all = document();
  const json::object& paths = all.at("paths").as_object();
  for (const Route& route : routes()) {
    if (route.prefix) continue;
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const json::object& operation = paths.at(route.path).at(method).as_object();
    EXPECT_EQ(operation.contains("security"), route.open) << route.path;
    if (route.method != "POST") continue;
    const json::value* body = operation.if_contains("requestBody");
    EXPECT_EQ(body && body->at("required").as_bool(), route.needs_body) << route.path;
  }
}

// Every "$ref" leads somewhere, and nothing is described that nothing refers to.
TEST(Openapi, ReferencesAreWhole) {
  const json::object all = document();
  const std::string_view text = kOpenapiJson;
  std::set<std::string> used, there;
  const std::string_view mark = "\"$ref\": \"#/components/";
  for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1))
    used.emplace(text.substr(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size()));
  for (const char* kind : {"schemas", "responses"})
    for (const auto& [name, value] : all.at("components").at(kind).as_object()) there.insert(std::string(kind) + "/" + std::string(name));
  EXPECT_EQ(used, there);
}

}  // namespace
}  // namespace rival::serve
