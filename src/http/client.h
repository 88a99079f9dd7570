// The HTTP client (libcurl): one request at a time, streamed, bounded, http and https only.
//
// Redirects are followed here and not by the library, at most limits::kHttpRedirectsMax of them: the bearer
// token and the other headers marked private leave for the first host only, and https never falls back to
// http.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rival::http {

enum class Method { kGet, kHead, kPost };

enum class Redirects {
  kFollow,
  kSameHost,  // as the Hugging Face hub wants its metadata read: the answer that points elsewhere is the
              // answer
};

struct ClientRequest {
  Method method = Method::kGet;
  std::string url;
  std::map<std::string, std::string> headers;  // sent to every host
  std::string bearer_token;                    // sent to the first host only; empty: none
  std::string body;                            // of a POST
  Redirects redirects = Redirects::kFollow;
  long connect_timeout_s = 20;
  long stall_timeout_s = 60;  // nothing arrives for so long: given up
  uint64_t body_bytes_max = UINT64_MAX;
  const std::atomic<bool>* cancel = nullptr;  // looked at about once a second and at every piece
};

struct ResponseHead {
  int status = 0;
  std::string url;                             // that answered, after redirects
  std::map<std::string, std::string> headers;  // names in lower case; of a repeated one the last

  // Empty when it is not there.
  std::string header(const std::string& lower_case_name) const;
};

struct BodySink {
  // When the headers of a 2xx answer are there, before its body; an error ends the transfer and is returned.
  std::function<Status(const ResponseHead&)> on_head;
  std::function<Status(std::string_view)> on_piece;
};

struct Response {
  ResponseHead head;
  std::string body;
};

// The response after redirects, whatever its status; only a 2xx body reaches the sink. A body that ends
// before its Content-Length is kNetwork, longer than body_bytes_max kLimit. Errors otherwise: kNetwork (not
// reached, stalled, TLS), kInvalidArgument (URL), kCancelled, and what the sink returned.
Result<ResponseHead> fetch(const ClientRequest& request, const BodySink& sink);

// The whole body in memory, at most request.body_bytes_max; a status other than 2xx becomes its error.
Result<Response> get(const ClientRequest& request);

// The error that a status other than 2xx means: 404 and 410 kNotFound, 401 and 403 kDenied, others kNetwork.
Error status_error(const ResponseHead& head);

}  // namespace rival::http
