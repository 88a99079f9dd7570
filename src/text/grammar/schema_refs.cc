#include "text/grammar/schema_refs.h"

#include <vector>

#include "base/limits.h"

namespace rival::text::grammar {

namespace {

const json::string* string_member(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  return v == nullptr ? nullptr : v->if_string();
}

std::string unescape_pointer(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '%' && i + 2 < token.size()) {
      out.push_back(static_cast<char>(std::strtol(std::string(token.substr(i + 1, 2)).c_str(), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(token[i]);
    }
  }
  std::string plain;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == '~' && i + 1 < out.size()) plain.push_back(out[++i] == '1' ? '/' : '~');
    else plain.push_back(out[i]);
  }
  return plain;
}

const json::value* follow_pointer(const json::value* value, std::string_view pointer) {
  while (!pointer.empty() && value != nullptr) {
    if (pointer[0] != '/') return nullptr;
    const size_t end = std::min(pointer.find('/', 1), pointer.size());
    const std::string key = unescape_pointer(pointer.substr(1, end - 1));
    pointer.remove_prefix(end);
    if (const json::object* o = value->if_object()) {
      value = o->if_contains(key);
    } else if (const json::array* a = value->if_array()) {
      const bool digits = !key.empty() && key.size() < 9 && key.find_first_not_of("0123456789") == key.npos;
      value = digits ? a->if_contains(std::stoul(key)) : nullptr;
    } else {
      value = nullptr;
    }
  }
  return value;
}

bool find_path(const json::value& in, const void* wanted, std::string* path) {
  const void* here = in.is_object() ? static_cast<const void*>(&in.get_object()) : &in;
  if (here == wanted || &in == wanted) return true;
  const size_t length = path->size();
  if (const json::object* o = in.if_object()) {
    for (const auto& member : *o) {
      path->append("/").append(member.key());
      if (find_path(member.value(), wanted, path)) return true;
      path->resize(length);
    }
  } else if (const json::array* a = in.if_array()) {
    for (size_t i = 0; i < a->size(); ++i) {
      path->append("/").append(std::to_string(i));
      if (find_path((*a)[i], wanted, path)) return true;
      path->resize(length);
    }
  }
  return false;
}

}  // namespace

std::string resolve_uri(std::string_view base, std::string_view reference) {
  const std::string_view document = base.substr(0, base.find('#'));
  if (reference.empty() || reference[0] == '#') return std::string(document) + std::string(reference);
  const size_t colon = reference.find(':');
  if (colon != reference.npos && reference.find_first_of("/?#") > colon) return std::string(reference);
  const size_t scheme = document.find("://");
  const size_t authority_end = scheme == document.npos ? 0 : std::min(document.find('/', scheme + 3), document.size());
  if (reference.substr(0, 2) == "//") return std::string(document.substr(0, document.find(':') + 1)) + std::string(reference);
  if (reference[0] == '/') return std::string(document.substr(0, authority_end)) + std::string(reference);
  std::string_view folder = document.substr(0, std::max(document.rfind('/') + 1, authority_end));
  for (;;) {
    if (reference.substr(0, 2) == "./") {
      reference.remove_prefix(2);
    } else if (reference.substr(0, 3) == "../") {
      reference.remove_prefix(3);
      if (folder.size() > authority_end + 1) folder = folder.substr(0, folder.rfind('/', folder.size() - 2) + 1);
    } else {
      break;
    }
  }
  std::string result(folder);
  if (result.size() == authority_end && authority_end > 0) result.push_back('/');
  return result.append(reference);
}

SchemaRefs::SchemaRefs(const json::value& root, bool lone_refs) : root_(&root), lone_refs_(lone_refs) {
  resources_.emplace("", root_);
  scan(root, "", 0);
}

// Records every identifier. Data (enum, const, examples) is not looked into: what stands there is no schema.
void SchemaRefs::scan(const json::value& value, const std::string& base_in, int depth) {
  if (const json::array* a = value.if_array()) {
    for (const json::value& v : *a) scan(v, base_in, depth + 1);
  }
  const json::object* o = value.if_object();
  if (o == nullptr || depth > 2 * limits::kJsonDepthMax) return;
  std::string changed;
  const std::string* base = &base_in;
  const json::string* id = string_member(*o, "$id");
  if (id == nullptr) id = string_member(*o, "id");
  if (id != nullptr && !id->empty() && !(lone_refs_ && o->contains("$ref"))) {
    changed = resolve_uri(base_in, *id);
    resources_.emplace(changed, &value);
    if (changed.back() == '#') changed.pop_back();
    if ((*id)[0] != '#') {
      resources_.emplace(changed, &value);
      base = &changed;
      if (depth == 0) root_base_ = changed;
    }
  }
  for (const char* anchor : {"$anchor", "$dynamicAnchor"}) {
    if (const json::string* name = string_member(*o, anchor)) resources_.emplace(*base + "#" + std::string(*name), &value);
  }
  if (*base != root_base_ && (o->contains("$ref") || o->contains("$dynamicRef"))) bases_.emplace(o, *base);
  for (const auto& member : *o) {
    const std::string_view key = member.key();
    if (key == "enum" || key == "const" || key == "examples" || key == "default") continue;
    scan(member.value(), *base, depth + 1);
  }
}

const std::string& SchemaRefs::base_of(const json::object& at) const {
  auto it = bases_.find(&at);
  return it == bases_.end() ? root_base_ : it->second;
}

Result<const json::value*> SchemaRefs::resolve(const json::object& at, std::string_view reference) const {
  const std::string uri = resolve_uri(base_of(at), reference);
  if (auto it = resources_.find(uri); it != resources_.end()) return it->second;
  const size_t hash = std::min(uri.find('#'), uri.size());
  auto document = resources_.find(uri.substr(0, hash));
  if (document == resources_.end()) {
    return make_error(ErrorCode::kUnsupported, "the reference \"{}\" leads outside of this schema, which is not supported", reference);
  }
  const std::string_view fragment = std::string_view(uri).substr(std::min(hash + 1, uri.size()));
  const json::value* found = fragment.empty() || fragment[0] == '/' ? follow_pointer(document->second, fragment) : nullptr;
  if (found == nullptr) return make_error(ErrorCode::kInvalidArgument, "the reference \"{}\" names nothing in this schema", reference);
  return found;
}

std::string SchemaRefs::path(const json::value& value) const {
  std::string path = "#";
  return find_path(*root_, value.is_object() ? static_cast<const void*>(&value.get_object()) : &value, &path) ? path : "#?";
}

std::string SchemaRefs::path(const json::object& object) const {
  std::string path = "#";
  return find_path(*root_, &object, &path) ? path : "#?";
}

}  // namespace rival::text::grammar
