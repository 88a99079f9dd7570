#include "serve/api_keys.h"

#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/sha256.h"

namespace rival::serve {
namespace {

constexpr int kVersion = 1;
constexpr size_t kKeyBytes = 32;

// One key of the file, read field by field; the first wrong one is kept.
class KeyReader {
 public:
  KeyReader(const json::value& value, size_t index) : object_(value.if_object()), index_(index) {
    if (!object_) error_ = make_error(ErrorCode::kCorrupt, "keys[{}] is not an object", index);
  }

  std::string text(const char* name) {
    const json::value* value = object_ ? object_->if_contains(name) : nullptr;
    if (value && value->is_string()) return std::string(value->get_string());
    fail(name, "a string");
    return "";
  }
  int64_t number(const char* name, int64_t max) {
    const json::value* value = object_ ? object_->if_contains(name) : nullptr;
    if (!value) return 0;
    if (value->is_int64() && value->get_int64() >= 0 && value->get_int64() <= max) return value->get_int64();
    fail(name, fmt::format("a whole number from 0 to {}", max));
    return 0;
  }
  void fail(const char* name, std::string_view expected) {
    if (error_.ok()) error_ = make_error(ErrorCode::kCorrupt, "keys[{}].{}: expected {}", index_, name, expected);
  }
  const Status& status() const { return error_; }

 private:
  const json::object* object_;
  size_t index_;
  Status error_;
};

bool is_sha256_text(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<ApiKey> read_key(const json::value& value, size_t index) {
  KeyReader reader(value, index);
  ApiKey key;
  key.name = reader.text("name");
  if (!is_key_name(key.name)) reader.fail("name", "1 to 64 letters, digits and ._-");
  key.sha256 = reader.text("sha256");
  if (!is_sha256_text(key.sha256)) reader.fail("sha256", "64 hexadecimal digits in lower case");
  key.created_s = reader.number("created", INT64_MAX);
  key.limits.requests_per_minute = static_cast<uint32_t>(reader.number("requests_per_minute", UINT32_MAX));
  key.limits.tokens_per_minute = static_cast<uint32_t>(reader.number("tokens_per_minute", UINT32_MAX));
  RIVAL_RETURN_IF_ERROR(reader.status());
  return key;
}

}  // namespace

std::string sha256_text(std::string_view text) {
  Digest digest;
  digest.update(text);
  return digest.finish();
}

std::string make_key_text() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  unsigned char bytes[kKeyBytes];
  RIVAL_CHECK(RAND_bytes(bytes, sizeof bytes) == 1, "the system gives no random numbers");
  std::string text = "rk-";
  for (const unsigned char byte : bytes) text += {kDigits[byte >> 4u], kDigits[byte & 15u]};
  return text;
}

bool is_key_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kKeyNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; });
}

Result<std::vector<ApiKey>> parse_key_file(std::string_view text) {
  RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(text));
  const json::object* object = value.if_object();
  const json::value* version = object ? object->if_contains("version") : nullptr;
  if (!version || *version != kVersion) return make_error(ErrorCode::kCorrupt, "version: expected {}", kVersion);
  const json::value* list = object->if_contains("keys");
  if (!list || !list->is_array()) return make_error(ErrorCode::kCorrupt, "keys: expected an array");
  if (list->get_array().size() > limits::kKeysMax)
    return make_error(ErrorCode::kLimit, "keys: {} of them; at most {}", list->get_array().size(), limits::kKeysMax);
  std::vector<ApiKey> keys;
  for (const json::value& entry : list->get_array()) {
    RIVAL_ASSIGN_OR_RETURN(ApiKey key, read_key(entry, keys.size()));
    const bool twice = std::any_of(keys.begin(), keys.end(), [&](const ApiKey& k) { return k.name == key.name; });
    if (twice) return make_error(ErrorCode::kCorrupt, "keys[{}].name: '{}' is there twice", keys.size(), key.name);
    keys.push_back(std::move(key));
  }
  return keys;
}

Result<std::vector<ApiKey>> read_key_file(const std::filesystem::path& path) {
  const auto text = read_file(path, limits::kKeyFileBytesMax);
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) return std::vector<ApiKey>();
  if (!text.ok()) return text.error();
  auto keys = parse_key_file(*text);
  if (!keys.ok()) return with_context(keys.error(), path.string());
  return keys;
}

std::string key_file_text(const std::vector<ApiKey>& keys) {
  json::array list;
  for (const ApiKey& key : keys)
    list.push_back(json::object{{"name", key.name},
                                {"sha256", key.sha256},
                                {"created", key.created_s},
                                {"requests_per_minute", key.limits.requests_per_minute},
                                {"tokens_per_minute", key.limits.tokens_per_minute}});
  return to_json_text(json::object{{"version", kVersion}, {"keys", std::move(list)}}) + "\n";
}

Status write_key_file(const std::filesystem::path& path, const std::vector<ApiKey>& keys) {
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);
  const mode_t before = ::umask(0077);
  const Status status = write_file_atomically(path, key_file_text(keys));
  ::umask(before);
  return status;
}

}  // namespace rival::serve
