// TLS in front of the server: a connection is decrypted into a pair of local sockets, so that the server itself knows
// plain HTTP only. For server.cc (Asio is heavy).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace rival::http {

class TlsFront {
 public:
  virtual ~TlsFront() = default;

  // Certificate chain and private key, both PEM files. Errors: kInvalidArgument says which of them is wrong.
  static Result<std::unique_ptr<TlsFront>> load(const std::string& certificate, const std::string& key);

  // Takes a client's socket and gives the socket that the server reads plain bytes from; the rest runs on `io`. Nothing
  // where the system has no more descriptors.
  virtual std::optional<boost::asio::ip::tcp::socket> accept(boost::asio::io_context& io, boost::asio::ip::tcp::socket client) = 0;
};

}  // namespace rival::http
