// What a client may send: bytes to requests, their bodies to JSON and fields. Requests must not depend on the pieces in
// which their bytes come.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "http/request_reader.h"
#include "serve/fields.h"

namespace {

using rival::http::RequestReader;
using rival::http::ServerRequest;

constexpr uint32_t kHeaderMax = 2000;
constexpr uint64_t kBodyMax = 5000;

std::string describe(const ServerRequest& r) {
  std::string text = r.method + " " + r.path + "?" + r.query + "\n";
  for (const auto& [name, value] : r.headers) text += name + ": " + value + "\n";
  return text + r.body + "\n";
}

void read_fields(const std::string& body) {
  const auto value = rival::parse_json(body);
  if (!value.ok() || !value->is_object()) return;
  const auto& object = value->get_object();
  for (const auto& [key, unused] : object) {
    const std::string_view name = key;
    rival::serve::Fields fields(object);
    const auto integer = fields.integer(name, -1, 1 << 20);
    if (integer && (*integer < -1 || *integer > 1 << 20)) std::abort();
    const auto number = rival::serve::Fields(object).number(name, 0, 2);
    if (number && !(*number >= 0 && *number <= 2)) std::abort();
    fields.boolean(name, false);
    fields.text(name);
    fields.list(name);
    fields.object(name);
    // No value is of two kinds, so something was wrong unless it is null.
    if (fields.has(name) && (!fields.error() || fields.error()->status != 400 || fields.error()->param.empty())) std::abort();
  }
}

// All requests in the bytes, and how it ended.
std::string read_all(const uint8_t* data, size_t size, size_t piece) {
  RequestReader reader(kHeaderMax, kBodyMax);
  std::string seen;
  while (true) {
    switch (reader.advance()) {
      case RequestReader::Progress::kHead:
        reader.expects_continue();
        break;
      case RequestReader::Progress::kComplete: {
        const ServerRequest request = reader.take();
        if (request.body.size() > kBodyMax) std::abort();
        if (request.path.empty() || request.path.front() != '/') std::abort();
        read_fields(request.body);
        seen += describe(request);
        break;
      }
      case RequestReader::Progress::kRefused:
        if (reader.status() < 400 || reader.status() > 499 || reader.message().empty()) std::abort();
        describe(reader.head());
        return seen + std::to_string(reader.status());
      case RequestReader::Progress::kMore: {
        if (size == 0) return seen;
        const auto room = reader.room();
        const size_t count = std::min({piece, size, room.size()});
        std::memcpy(room.data(), data, count);
        reader.received(count);
        data += count;
        size -= count;
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 64;
  // Whether a limit or a fault is met first may depend on the pieces: that it ends there does not.
  const std::string whole = read_all(data + 1, size - 1, size), pieces = read_all(data + 1, size - 1, piece);
  const auto without_status = [](const std::string& text) { return text.substr(0, text.rfind('\n') + 1); };
  if (without_status(whole) != without_status(pieces)) std::abort();
  return 0;
}
