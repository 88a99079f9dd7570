#include "http/request_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>
#include <optional>

#include "base/limits.h"

namespace rival::http {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using boost::system::error_code;
using Parser = beast::http::request_parser<beast::http::string_body>;
using Head = Parser::value_type;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

struct Wrong {
  int status;
  std::string message;
};

bool is_path(std::string_view target) {
  return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// What is wrong with a header that is well formed.
std::optional<Wrong> wrong_head(const Head& head) {
  if (head.version() != 10 && head.version() != 11) return Wrong{400, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  const auto hosts = head.count(field::host);
  if (hosts > 1 || (hosts == 0 && head.version() == 11)) return Wrong{400, fmt::format("the request has {} Host headers; expected one", hosts)};
  if (!is_path(view(head.target()))) return Wrong{400, "the request's target is not a path of printable ASCII"};
  const auto codings = head.count(field::transfer_encoding);
  if (codings > 0) {
    if (codings > 1 || !beast::iequals(head[field::transfer_encoding], "chunked"))
      return Wrong{400, "of transfer codings only chunked is understood"};
    if (head.count(field::content_length) > 0 || head.version() == 10)
      return Wrong{400, "the length of the request's body is ambiguous"};
  }
  const auto coding = head[field::content_encoding];
  if (!coding.empty() && !beast::iequals(coding, "identity"))
    return Wrong{415, fmt::format("bodies encoded as '{}' are not understood", view(coding.substr(0, 40)))};
  const auto expected = head[field::expect];
  if (!expected.empty() && !beast::iequals(expected, "100-continue")) return Wrong{417, "of expectations only 100-continue can be met"};
  return std::nullopt;
}

ServerRequest head_of(const Head& head) {
  ServerRequest request;
  request.method = std::string(view(head.method_string()));
  const std::string_view target = view(head.target());
  const size_t query = target.find('?');
  request.path = std::string(target.substr(0, query));
  if (query != std::string_view::npos) request.query = std::string(target.substr(query + 1));
  for (const auto& row : head) request.headers.emplace_back(lower(view(row.name_string())), std::string(view(row.value())));
  return request;
}

}  // namespace

struct RequestReader::Parts {
  const uint32_t header_bytes_max;
  const uint64_t body_bytes_max;
  beast::flat_buffer buffer;
  std::optional<Parser> parser;
  bool head_told = false;
  bool head_known = false;   // the header was read, and announced too large a body
  size_t head_searched = 0;  // bytes in which the header's end is not
  Wrong refusal{0, ""};

  void begin() {
    parser.emplace();
    parser->header_limit(header_bytes_max);
    parser->body_limit(body_bytes_max);
    head_told = head_known = false;
    head_searched = 0;
  }
  // The parser gets a header as a whole, so that its limit and its memory are counted here alone.
  bool has_whole_head() {
    const size_t end = bytes().find("\r\n\r\n", head_searched);
    head_searched = buffer.size() - std::min<size_t>(buffer.size(), 3);
    return end != std::string_view::npos;
  }
  // Lines that go on with a space: an old form that servers read in different ways (RFC 9112, section 5.2).
  bool has_folded_lines() const {
    const std::string_view head = bytes().substr(0, bytes().find("\r\n\r\n"));
    return head.find("\r\n ") != std::string_view::npos || head.find("\r\n\t") != std::string_view::npos;
  }
  std::string_view bytes() const { return {static_cast<const char*>(buffer.data().data()), buffer.size()}; }
  Progress refuse(Wrong why) {
    refusal = std::move(why);
    return Progress::kRefused;
  }
  Progress refuse(error_code error);
};

RequestReader::RequestReader(uint32_t header_bytes_max, uint64_t body_bytes_max) : parts_(new Parts{header_bytes_max, body_bytes_max, {}, {}}) {
  parts_->begin();
}

RequestReader::~RequestReader() = default;

std::span<char> RequestReader::room() {
  const auto area = parts_->buffer.prepare(parts_->head_told ? limits::kBodyReadBytes : limits::kHeadReadBytes);
  return {static_cast<char*>(area.data()), area.size()};
}

void RequestReader::received(size_t count) { parts_->buffer.commit(count); }

RequestReader::Progress RequestReader::Parts::refuse(error_code error) {
  if (error == beast::http::error::header_limit) return refuse({431, fmt::format("the request's header is larger than {} bytes", header_bytes_max)});
  head_known = error == beast::http::error::body_limit;
  if (head_known) return refuse({413, fmt::format("the body is larger than {} bytes", body_bytes_max)});
  return refuse({400, fmt::format("the request cannot be read: {}", error.message())});
}

RequestReader::Progress RequestReader::advance() {
  Parts& p = *parts_;
  while (true) {
    if (p.parser->is_header_done() && !p.head_told) {
      p.head_told = true;
      p.parser->eager(true);
      if (auto wrong = wrong_head(p.parser->get())) return p.refuse(std::move(*wrong));
      return Progress::kHead;
    }
    if (p.parser->is_done()) return Progress::kComplete;
    if (p.buffer.size() == 0) return Progress::kMore;
    if (!p.head_told) {
      if (!p.has_whole_head()) {
        if (p.buffer.size() <= p.header_bytes_max) return Progress::kMore;
        return p.refuse(error_code(beast::http::error::header_limit));
      }
      if (p.has_folded_lines()) return p.refuse({400, "a line of the request's header begins with a space"});
    }
    error_code error;
    const size_t used = p.parser->put(p.buffer.data(), error);
    p.buffer.consume(used);
    if (error == beast::http::error::need_more) {
      // Lines that never end: a chunk's or a trailer's.
      if (p.buffer.size() <= p.header_bytes_max) return Progress::kMore;
      error = beast::http::error::header_limit;
    }
    if (error) return p.refuse(error);
  }
}

int RequestReader::status() const { return parts_->refusal.status; }
const std::string& RequestReader::message() const { return parts_->refusal.message; }

bool RequestReader::expects_continue() const { return !parts_->parser->get()[field::expect].empty() && !parts_->parser->is_done(); }
bool RequestReader::keep_alive() const { return parts_->parser->get().keep_alive(); }
bool RequestReader::is_http_1_1() const { return parts_->parser->get().version() >= 11; }

ServerRequest RequestReader::head() const { return parts_->parser->is_header_done() || parts_->head_known ? head_of(parts_->parser->get()) : ServerRequest(); }

ServerRequest RequestReader::take() {
  auto message = parts_->parser->release();
  ServerRequest request = head_of(message);
  request.body = std::move(message.body());
  parts_->begin();
  // A large request leaves a large buffer, and the connection may be idle for long.
  parts_->buffer.shrink_to_fit();
  return request;
}

size_t RequestReader::bytes() const {
  const size_t body = parts_->parser->get().body().size();
  return body + (body + parts_->buffer.size() > 0 || parts_->head_told ? parts_->buffer.capacity() : 0);
}

}  // namespace rival::http
