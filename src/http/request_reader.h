// The bytes of a connection, in whatever pieces they come, turned into requests. Does no input or output itself.
//
// What another server on the way could understand differently is refused: two lengths, a transfer coding other than
// chunked alone, a request without exactly one host (RFC 9112, sections 3.2, 6.1, 6.3 and 11.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "http/server.h"

namespace rival::http {

class RequestReader {
 public:
  RequestReader(uint32_t header_bytes_max, uint64_t body_bytes_max);
  ~RequestReader();

  // Where the next bytes go; received() says how many have.
  std::span<char> room();
  void received(size_t count);

  enum class Progress : uint8_t {
    kMore,      // bytes are needed
    kHead,      // once for each request: its header is read and sound
    kComplete,  // take() gives the request
    kRefused,   // status() and message() say why; nothing more can be read from this connection
  };
  Progress advance();

  int status() const;
  const std::string& message() const;
  // Of a request that is not complete: what its header says, once that is read; before, nothing.
  ServerRequest head() const;

  // After kHead.
  bool expects_continue() const;  // the client waits for "100 Continue" before it sends the body
  bool keep_alive() const;
  bool is_http_1_1() const;

  // After kComplete. Bytes that came behind the request begin the next one.
  ServerRequest take();

  // Held for a request that is not complete; 0 when nothing of it has come.
  size_t bytes() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace rival::http
