// An HTTP/1.1 server: many connections on one thread, answers from any thread, streams with bounded memory.
//
// A handler is called on the server's thread with an Exchange and must return soon; the answer may come later, from
// any thread, as one body or as a stream of pieces. A client that reads slowly costs at most
// ServerOptions::pending_bytes_max; beyond that its exchange is dropped as if it had gone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace rival::http {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct ServerRequest {
  std::string method;  // "GET", "POST", ...
  std::string path;    // as sent, without the query
  std::string query;   // after '?', as sent
  HeaderList headers;  // names in lower case
  std::string body;
  std::string peer;    // address of the client

  // The first header of this lower-case name; empty if there is none.
  std::string_view header(std::string_view name) const;
};

// One request and its answer. All members may be called from any thread. Exactly one of respond() and begin_stream()
// is called, once; what is written after the client has gone is dropped.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const ServerRequest& request() const = 0;
  // Gives the memory of the request's body up, which the handler has read: an answer may take minutes, and thousands may
  // wait for theirs. Only where no other thread looks at the body.
  virtual void drop_body() {}

  virtual void respond(int status, std::string_view content_type, std::string body, HeaderList headers = {}) = 0;

  virtual void begin_stream(int status, std::string_view content_type, HeaderList headers = {}) = 0;
  virtual void write(std::string piece) = 0;
  virtual void end() = 0;

  // True once the client has left, or was dropped, before the end of its answer.
  virtual bool gone() const = 0;
  // `callback` is called once when that happens, on the server's thread or, if it has happened, at once.
  virtual void on_gone(std::function<void()> callback) = 0;
};

// The answer (application/json) to a request that the server does not take.
struct Refusal {
  HeaderList headers;
  std::string body;
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;                         // 0 = any free one
  std::string tls_certificate, tls_key;      // PEM files; empty = plain HTTP
  uint64_t body_bytes_max = limits::kBodyBytes;
  uint32_t header_bytes_max = limits::kHeaderBytes;
  uint32_t connections_max = limits::kConnections;  // a further one takes the place of whoever has not asked for longest
  uint64_t receiving_bytes_max = limits::kReceivingBytes;  // of all requests that are not complete; beyond, the oldest is closed
  uint64_t pending_bytes_max = limits::kPendingBytes;  // of one stream, written and not yet taken by the client
  uint64_t unsent_bytes_max = limits::kUnsentBytes;  // of all answers, written and not yet taken; beyond, whoever has taken
                                                     // none of what is offered for longest, and at least for stuck_s, is dropped
  double stuck_s = limits::kStuckS;
  double header_timeout_s = limits::kHeaderTimeoutS;  // from the connection, or the last answer, to a whole request header;
                                                      // past it, as past the other times, the connection is closed
  double body_timeout_s = limits::kBodyTimeoutS;
  double write_timeout_s = limits::kWriteTimeoutS;  // for the client to take what is offered
  // What is told of a request that cannot be read or is too large (4xx); `request` has what is known of it, perhaps only
  // the peer. On the server's thread.
  std::function<Refusal(const ServerRequest& request, int status, const std::string& message)> refusal;
};

class Server {
 public:
  using Handler = std::function<void(std::shared_ptr<Exchange>)>;

  // Binds and listens. Errors: kInvalidArgument for the host, kIo for a port that is taken.
  static Result<std::unique_ptr<Server>> listen(ServerOptions options, Handler handler);
  virtual ~Server() = default;

  virtual uint16_t port() const = 0;
  // Serves on the caller's thread until stop().
  virtual void run() = 0;
  // Any thread. No new connections; idle ones are closed, exchanges under way get `drain_s` seconds to end.
  virtual void stop(double drain_s) = 0;
  // Any thread. Connections from now on get this certificate; those that there are keep theirs. Errors: those of a wrong file,
  // kInvalidArgument where the server speaks plain HTTP; then all stays as it is.
  virtual Status set_tls(const std::string& certificate, const std::string& key) = 0;
  virtual uint32_t connections() const = 0;
};

// Standard text of a status code: "Not Found".
std::string_view status_text(int status);

}  // namespace rival::http
