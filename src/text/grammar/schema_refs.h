// Where the references of a schema lead: base URIs, $id, $anchor and JSON pointers inside one document.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.h"
#include "base/result.h"

namespace rival::text::grammar {

class SchemaRefs {
 public:
  // `root` must outlive this object and stay where it is. `lone_refs`: up to draft 7, where nothing beside $ref counts.
  SchemaRefs(const json::value& root, bool lone_refs);

  // The schema that `reference`, standing in the object `at`, names. Errors: kUnsupported for another document,
  // kInvalidArgument for a place that is not there.
  Result<const json::value*> resolve(const json::object& at, std::string_view reference) const;
  // "#/properties/a": where a value of the document stands.
  std::string path(const json::value& value) const;
  std::string path(const json::object& object) const;

 private:
  void scan(const json::value& value, const std::string& base, int depth);
  const std::string& base_of(const json::object& at) const;

  const json::value* root_;
  bool lone_refs_;
  std::string root_base_;
  std::unordered_map<std::string, const json::value*> resources_;  // by absolute URI, anchors with their fragment
  std::unordered_map<const json::object*, std::string> bases_;     // of objects with $ref whose base is not the root's
};

// RFC 3986, section 5.2.2, as far as schema identifiers use it.
std::string resolve_uri(std::string_view base, std::string_view reference);

}  // namespace rival::text::grammar
