#include "http/tls.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "base/limits.h"

namespace rival::http {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// One connection: the client's side, and the server's as seen from here.
struct Bridge {
  Bridge(tcp::socket client, ssl::context& context, tcp::socket plain)
      : outside(boost::beast::tcp_stream(std::move(client)), context), inside(std::move(plain)) {}
  boost::beast::ssl_stream<boost::beast::tcp_stream> outside;
  tcp::socket inside;
};

asio::awaitable<void> copy_in(std::shared_ptr<Bridge> bridge) {
  std::array<char, limits::kTlsPieceBytes> piece;
  for (;;) {
    auto [error, count] = co_await bridge->outside.async_read_some(asio::buffer(piece), kTuple);
    if (error) break;
    auto [write_error, written] = co_await asio::async_write(bridge->inside, asio::buffer(piece, count), kTuple);
    if (write_error) break;
  }
  error_code ignored;
  bridge->inside.shutdown(tcp::socket::shutdown_send, ignored);  // the server sees that the client has left
}

asio::awaitable<void> copy_out(std::shared_ptr<Bridge> bridge) {
  std::array<char, limits::kTlsPieceBytes> piece;
  for (;;) {
    auto [error, count] = co_await bridge->inside.async_read_some(asio::buffer(piece), kTuple);
    if (error) break;
    auto [write_error, written] = co_await asio::async_write(bridge->outside, asio::buffer(piece, count), kTuple);
    if (write_error) break;
  }
  error_code ignored;
  bridge->inside.close(ignored);
  boost::beast::get_lowest_layer(bridge->outside).expires_after(std::chrono::seconds(limits::kGoodbyeS));
  co_await bridge->outside.async_shutdown(kTuple);
  boost::beast::get_lowest_layer(bridge->outside).close();  // ends copy_in, too
}

asio::awaitable<void> run(std::shared_ptr<Bridge> bridge) {
  auto& lowest = boost::beast::get_lowest_layer(bridge->outside);
  lowest.expires_after(std::chrono::seconds(limits::kTlsHandshakeS));
  auto [error] = co_await bridge->outside.async_handshake(ssl::stream_base::server, kTuple);
  if (error) co_return;
  lowest.expires_never();  // from here on the server's own times hold
  asio::co_spawn(lowest.get_executor(), copy_in(bridge), asio::detached);
  co_await copy_out(bridge);
}

class OpenSslFront : public TlsFront {
 public:
  OpenSslFront() : context_(ssl::context::tls_server) {}

  Status open(const std::string& certificate, const std::string& key) {
    error_code error;
    context_.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression, error);
    context_.use_certificate_chain_file(certificate, error);
    if (error) return make_error(ErrorCode::kInvalidArgument, "tls_cert: {} is not a certificate in PEM form: {}", certificate, error.message());
    context_.use_private_key_file(key, ssl::context::pem, error);
    if (error) return make_error(ErrorCode::kInvalidArgument, "tls_key: {} is not the private key of {}: {}", key, certificate, error.message());
    return {};
  }

  std::optional<tcp::socket> accept(asio::io_context& io, tcp::socket client) override {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
    tcp::socket plain(io), server(io);
    plain.assign(tcp::v4(), ends[0]);  // Asio only reads and writes through it
    server.assign(tcp::v4(), ends[1]);
    error_code ignored;
    client.set_option(tcp::no_delay(true), ignored);
    asio::co_spawn(io, run(std::make_shared<Bridge>(std::move(client), context_, std::move(plain))), asio::detached);
    return server;
  }

 private:
  ssl::context context_;
};

}  // namespace

Result<std::unique_ptr<TlsFront>> TlsFront::load(const std::string& certificate, const std::string& key) {
  auto front = std::make_unique<OpenSslFront>();
  RIVAL_RETURN_IF_ERROR(front->open(certificate, key));
  return std::unique_ptr<TlsFront>(std::move(front));
}

}  // namespace rival::http
