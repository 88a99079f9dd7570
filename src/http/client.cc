#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/limits.h"
#include "http/url.h"

namespace rival::http {
namespace {

struct CurlHandle {
  CURL* curl = curl_easy_init();
  curl_slist* headers = nullptr;
  ~CurlHandle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
  void add_header(const std::string& line) { headers = curl_slist_append(headers, line.c_str()); }
};

// One hop: a request to one URL and what came of it.
struct Exchange {
  const ClientRequest& request;
  const BodySink& sink;
  ResponseHead head;
  uint64_t header_bytes = 0;
  uint64_t body_bytes = 0;
  std::optional<Error> error;  // of the sink or a limit; the transfer then stops

  bool success() const { return head.status >= 200 && head.status < 300; }
  size_t stop(Error reason) {
    error = std::move(reason);
    return 0;
  }
};

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

// "HTTP/1.1 200 OK", "HTTP/2 200": 200.
int status_of(std::string_view line) {
  const std::string_view digits = line.substr(std::min(line.find(' ') + 1, line.size()));
  int status = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), status);
  return status;
}

size_t on_header(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > limits::kHttpHeaderBytesMax)
    return exchange.stop(make_error(ErrorCode::kLimit, "a server's headers are longer than {} bytes",
                                    limits::kHttpHeaderBytesMax));
  if (line.starts_with("HTTP/")) {  // also after "100 Continue"
    exchange.head.headers.clear();
    exchange.head.status = status_of(line);
    return line.size();
  }
  if (trimmed(line).empty() && exchange.success() && exchange.sink.on_head) {
    const Status taken = exchange.sink.on_head(exchange.head);
    return taken.ok() ? line.size() : exchange.stop(taken.error());
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  std::string name = trimmed(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  exchange.head.headers[name] = trimmed(line.substr(colon + 1));
  return line.size();
}

size_t on_body(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view piece(data, size * count);
  if (exchange.request.cancel && *exchange.request.cancel)
    return exchange.stop(make_error(ErrorCode::kCancelled, "cancelled"));
  exchange.body_bytes += piece.size();
  if (!exchange.success()) {
    // An error page is read to its end so that the connection ends in order, but not one without end.
    return exchange.body_bytes <= limits::kHttpErrorBodyBytesMax ? piece.size() : 0;
  }
  if (exchange.body_bytes > exchange.request.body_bytes_max)
    return exchange.stop(make_error(ErrorCode::kLimit, "{} sends more than {} bytes", exchange.head.url,
                                    exchange.request.body_bytes_max));
  const Status taken = exchange.sink.on_piece ? exchange.sink.on_piece(piece) : Status();
  return taken.ok() ? piece.size() : exchange.stop(taken.error());
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* cancel = static_cast<const ClientRequest*>(user)->cancel;
  return cancel && *cancel ? 1 : 0;
}

// The user's own certificate bundle, named as other programs name it; else the system's.
const char* certificate_bundle() {
  for (const char* name : {"RIVAL_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* path = std::getenv(name);
    if (path && *path) return path;
  }
  return nullptr;
}

void set_options(CurlHandle& handle, Exchange& exchange, const Url& url, bool send_token) {
  CURL* curl = handle.curl;
  const ClientRequest& request = exchange.request;
  curl_easy_setopt(curl, CURLOPT_URL, url.text().c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's own answer is not the server's
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "rival");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, request.connect_timeout_s);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, request.stall_timeout_s);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &request);
  if (const char* bundle = certificate_bundle()) curl_easy_setopt(curl, CURLOPT_CAINFO, bundle);
  if (request.method == Method::kHead) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (request.method == Method::kPost) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  for (const auto& [name, value] : request.headers) handle.add_header(name + ": " + value);
  if (send_token && !request.bearer_token.empty())
    handle.add_header("Authorization: Bearer " + request.bearer_token);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle.headers);
}

Error transfer_error(CURLcode code, const Url& url, const char* detail) {
  const char* what = *detail ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return make_error(ErrorCode::kCancelled, "cancelled");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return make_error(ErrorCode::kNetwork,
                        "cannot reach {} ({}); check the network, or set https_proxy if it is behind a proxy",
                        url.authority, what);
    case CURLE_OPERATION_TIMEDOUT:
      return make_error(ErrorCode::kNetwork, "{} stopped answering ({})", url.authority, what);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return make_error(ErrorCode::kNetwork,
                        "the certificate of {} is not trusted ({}); SSL_CERT_FILE names another bundle",
                        url.authority, what);
    default:
      return make_error(ErrorCode::kNetwork, "the transfer from {} failed ({})", url.authority, what);
  }
}

Result<ResponseHead> exchange_once(const ClientRequest& request, const BodySink& sink, const Url& url,
                                   bool send_token) {
  CurlHandle handle;
  if (!handle.curl) return make_error(ErrorCode::kInternal, "libcurl does not start");
  Exchange exchange{.request = request, .sink = sink, .head = {.url = url.text()}};
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle.curl, CURLOPT_ERRORBUFFER, detail);
  set_options(handle, exchange, url, send_token);
  const CURLcode code = curl_easy_perform(handle.curl);
  if (exchange.error) return *exchange.error;
  const bool error_page_cut = code == CURLE_WRITE_ERROR && !exchange.success();
  if (code != CURLE_OK && !error_page_cut) return transfer_error(code, url, detail);
  return exchange.head;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::string ResponseHead::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

Result<ResponseHead> fetch(const ClientRequest& request, const BodySink& sink) {
  RIVAL_ASSIGN_OR_RETURN(const Url first, parse_url(request.url));
  Url url = first;
  for (size_t hop = 0; hop <= limits::kHttpRedirectsMax; ++hop) {
    const bool same_host = url.authority == first.authority && url.scheme == first.scheme;
    RIVAL_ASSIGN_OR_RETURN(ResponseHead head, exchange_once(request, sink, url, same_host));
    const std::string location = head.header("location");
    if (!is_redirect(head.status) || location.empty()) return head;
    const auto next = resolve_location(url, location);
    if (!next.ok())
      return make_error(ErrorCode::kNetwork,
                        "{} redirects to '{}', which is not an http address; not followed", url.authority,
                        location);
    if (request.redirects == Redirects::kSameHost && next->authority != url.authority) return head;
    if (url.scheme == "https" && next->scheme == "http")
      return make_error(ErrorCode::kNetwork, "{} redirects from https to plain http; not followed",
                        url.authority);
    url = *next;
  }
  return make_error(ErrorCode::kNetwork, "{} redirects more than {} times", request.url,
                    limits::kHttpRedirectsMax);
}

Result<Response> get(const ClientRequest& request) {
  Response response;
  BodySink sink;
  sink.on_piece = [&](std::string_view piece) {
    response.body += piece;
    return Status();
  };
  RIVAL_ASSIGN_OR_RETURN(response.head, fetch(request, sink));
  if (response.head.status < 200 || response.head.status >= 300) return status_error(response.head);
  return response;
}

Error status_error(const ResponseHead& head) {
  switch (head.status) {
    case 401:
    case 403:
      return make_error(ErrorCode::kDenied, "{} refuses access (HTTP {})", head.url, head.status);
    case 404:
    case 410:
      return make_error(ErrorCode::kNotFound, "{} does not exist (HTTP {})", head.url, head.status);
    case 429:
      return make_error(ErrorCode::kNetwork, "{} asks to slow down (HTTP 429); try again in a while",
                        head.url);
    default:
      return make_error(ErrorCode::kNetwork, "{} answered with HTTP {}", head.url, head.status);
  }
}

}  // namespace rival::http
