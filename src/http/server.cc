#include "http/server.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/status.hpp>
#include <list>
#include <mutex>

#include "base/limits.h"
#include "base/log.h"
#include "http/tls.h"
#include "http/request_reader.h"

namespace rival::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

std::chrono::nanoseconds seconds(double s) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(s));
}

std::string head_text(int status, std::string_view content_type, const HeaderList& headers) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", status, status_text(status), content_type);
  for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
  return head;
}

// Bytes of all exchanges that no client has taken. Lives as long as the last exchange.
struct Unsent {
  std::atomic<uint64_t> bytes{0};
  uint64_t max = 0;
};

// What passes between the handler's threads and the connection's coroutine.
class ServerExchange : public Exchange, public std::enable_shared_from_this<ServerExchange> {
 public:
  struct Bounds {
    uint64_t pending_bytes_max;
    std::shared_ptr<Unsent> unsent;
    std::function<void()> on_pressure;  // on the server's thread: there are more unsent bytes than may be
  };

  ServerExchange(asio::io_context& io, ServerRequest request, bool chunked, bool keep_alive, Bounds bounds)
      : io_(io), request_(std::move(request)), chunked_(chunked), keep_alive_(keep_alive), bounds_(std::move(bounds)) {}

  const ServerRequest& request() const override { return request_; }
  void drop_body() override { std::string().swap(request_.body); }

  void respond(int status, std::string_view content_type, std::string body, HeaderList headers) override {
    std::string text = head_text(status, content_type, headers);
    if (status != 204) text += fmt::format("Content-Length: {}\r\n", body.size());  // RFC 9110, section 8.6
    text += connection_header() + "\r\n";
    if (request_.method != "HEAD") text += body;
    give(std::move(text), true);
  }

  void begin_stream(int status, std::string_view content_type, HeaderList headers) override {
    give(head_text(status, content_type, headers) + (chunked_ ? "Transfer-Encoding: chunked\r\n" : "") +
             connection_header() + "\r\n",
         false);
  }

  void write(std::string piece) override {
    if (piece.empty()) return;
    give(chunked_ ? fmt::format("{:x}\r\n{}\r\n", piece.size(), piece) : std::move(piece), false);
  }

  void end() override { give(chunked_ ? "0\r\n\r\n" : "", true); }

  bool gone() const override {
    const std::lock_guard lock(mutex_);
    return gone_;
  }

  void on_gone(std::function<void()> callback) override {
    {
      const std::lock_guard lock(mutex_);
      if (!gone_) {
        on_gone_ = std::move(callback);
        return;
      }
    }
    callback();
  }

  // ---- the connection's side, on the server's thread

  struct Offer {
    std::string bytes;
    bool last;
  };

  // What is to be sent next, after the offer before was taken; waits until there is something. An empty last offer ends an
  // exchange that is gone.
  asio::awaitable<Offer> next() {
    forget_offered();
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (gone_) co_return Offer{"", true};
        if (!pending_.empty() || ended_) {
          Offer offer{std::move(pending_), ended_};
          pending_.clear();
          offered_ = offer.bytes.size();
          co_return offer;
        }
      }
      wake_->expires_at(std::chrono::steady_clock::time_point::max());
      co_await wake_->async_wait(kTuple);
    }
  }

  void mark_gone() {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      if (gone_ || (ended_ && pending_.empty())) return;
      gone_ = true;
      forget(pending_.size());
      pending_.clear();
      callback = std::move(on_gone_);
    }
    if (callback) callback();
    wake();
  }

  // The connection lends its timer. An exchange that outlives its connection, or the server, touches neither.
  void attach(asio::steady_timer& timer) { wake_ = &timer; }
  void detach() {
    forget_offered();
    const std::lock_guard lock(mutex_);
    gone_ = gone_ || !ended_ || !pending_.empty();
    ended_ = true;
    forget(pending_.size());
    pending_.clear();
    wake_ = nullptr;
  }

  // Bytes that the client has not taken.
  uint64_t held() const {
    const std::lock_guard lock(mutex_);
    return pending_.size() + offered_;
  }

  bool keep_alive() const { return keep_alive_; }

 private:
  std::string connection_header() const { return keep_alive_ ? "" : "Connection: close\r\n"; }

  void give(std::string bytes, bool last) {
    const std::lock_guard lock(mutex_);
    if (gone_ || ended_) return;
    pending_ += bytes;
    ended_ = last;
    const bool pressure = (bounds_.unsent->bytes += bytes.size()) > bounds_.unsent->max;
    // A whole body is bounded by whoever made it; only a stream that piles up says that the client is too slow.
    const bool too_slow = !last && pending_.size() > bounds_.pending_bytes_max;
    asio::post(io_, [self = shared_from_this(), too_slow, pressure] {
      if (too_slow) self->mark_gone();
      self->wake();
      if (pressure && self->wake_) self->bounds_.on_pressure();
    });
  }

  void forget(uint64_t bytes) const { bounds_.unsent->bytes -= bytes; }
  void forget_offered() {
    const std::lock_guard lock(mutex_);
    forget(std::exchange(offered_, 0));
  }

  void wake() {
    if (wake_) wake_->cancel();
  }

  asio::io_context& io_;
  asio::steady_timer* wake_ = nullptr;  // server's thread only
  ServerRequest request_;
  const bool chunked_, keep_alive_;
  const Bounds bounds_;
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::string pending_;
  uint64_t offered_ = 0;  // bytes on their way
  bool ended_ = false, gone_ = false;
  std::function<void()> on_gone_;
};

// As many connections as the system allows this process, rather than its cautious first limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class BeastServer : public Server {
 public:
  BeastServer(ServerOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)), acceptor_(io_), drain_(io_) {
    unsent_->max = options_.unsent_bytes_max;
  }

  Status open() {
    raise_descriptor_limit();
    error_code error;
    const auto address = asio::ip::make_address(options_.host == "localhost" ? "127.0.0.1" : options_.host, error);
    if (error) return make_error(ErrorCode::kInvalidArgument, "host '{}' is not an address such as 127.0.0.1 or 0.0.0.0", options_.host);
    const tcp::endpoint endpoint(address, options_.port);
    if (!options_.tls_certificate.empty()) {
      RIVAL_ASSIGN_OR_RETURN(tls_, TlsFront::load(options_.tls_certificate, options_.tls_key));
    }
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return make_error(ErrorCode::kIo, "cannot listen on {}:{}: {}", options_.host, options_.port, error.message());
    return {};
  }

  uint16_t port() const override {
    error_code error;
    return acceptor_.local_endpoint(error).port();
  }

  void run() override {
    asio::co_spawn(io_, accept_loop(), asio::detached);
    io_.run();
  }

  void stop(double drain_s) override {
    asio::post(io_, [this, drain_s] {
      stopping_ = true;
      error_code error;
      acceptor_.close(error);
      for (const Place& place : receiving_) place.stream->cancel();
      drain_.expires_after(seconds(drain_s));
      drain_.async_wait([this](error_code code) {
        if (!code) io_.stop();
      });
      stop_if_done();
    });
  }

  Status set_tls(const std::string& certificate, const std::string& key) override {
    if (options_.tls_certificate.empty() || certificate.empty())
      return make_error(ErrorCode::kInvalidArgument, "tls_cert: a running server cannot change between http and https");
    RIVAL_ASSIGN_OR_RETURN(std::shared_ptr<TlsFront> next, TlsFront::load(certificate, key));
    asio::post(io_, [this, next = std::move(next)] { tls_ = next; });
    return {};
  }

  uint32_t connections() const override { return connections_; }

 private:
  // A connection from the time when it may send a request until that is complete.
  struct Place {
    beast::tcp_stream* stream;
    uint64_t bytes;
  };

  class Receiving {
   public:
    Receiving(BeastServer& server, beast::tcp_stream& stream)
        : server_(server), place_(server.receiving_.insert(server.receiving_.end(), {&stream, 0})) {}
    ~Receiving() {
      set(0);
      server_.receiving_.erase(place_);
    }
    // Over the bound on all, whoever began first and is not done is closed: a client that trickles, most likely.
    void set(uint64_t bytes) const {
      server_.receiving_bytes_ += bytes - place_->bytes;
      place_->bytes = bytes;
      for (auto other = server_.receiving_.begin(); server_.receiving_bytes_ > server_.options_.receiving_bytes_max; ++other) {
        if (other->bytes == 0) continue;
        server_.receiving_bytes_ -= std::exchange(other->bytes, 0);
        other->stream->close();
      }
    }

   private:
    BeastServer& server_;
    const std::list<Place>::iterator place_;
  };

  // A connection while its client takes an answer.
  struct Writing {
    beast::tcp_stream& stream;
    const ServerExchange& exchange;
    std::chrono::steady_clock::time_point since;  // what is offered now
    bool closed = false;
  };

  // Whoever takes nothing is dropped, who began so first, until what is left is within the bound.
  void drop_stuck() {
    uint64_t freed = 0;
    const auto stuck_since = std::chrono::steady_clock::now() - seconds(options_.stuck_s);
    for (Writing& writing : writing_) {
      if (writing.since > stuck_since || unsent_->bytes <= unsent_->max + freed) return;
      freed += writing.exchange.held();
      if (!std::exchange(writing.closed, true)) writing.stream.close();
    }
  }

  asio::awaitable<void> accept_loop() {
    while (!stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (error) {
        if (stopping_ || error == asio::error::operation_aborted) co_return;
        // Out of descriptors, most likely: wait until connections have ended.
        asio::steady_timer pause(io_, std::chrono::milliseconds(50));
        co_await pause.async_wait(kTuple);
        continue;
      }
      // The place of one that has not asked for longest goes to the new one.
      if (connections_ >= options_.connections_max && !receiving_.empty()) receiving_.front().stream->cancel();
      if (connections_ >= options_.connections_max + limits::kConnectionsBetween) continue;
      const std::string peer = peer_of(socket);
      if (tls_) {
        auto plain = tls_->accept(io_, std::move(socket));
        if (!plain) continue;
        socket = std::move(*plain);
      }
      ++connections_;
      asio::co_spawn(io_, connection(beast::tcp_stream(std::move(socket)), peer), [this](std::exception_ptr failure) {
        --connections_;
        if (failure) log(LogLevel::kError, "a connection ended by an exception");
        stop_if_done();
      });
    }
  }

  void stop_if_done() {
    if (stopping_ && connections_ == 0) {
      drain_.cancel();
      io_.stop();
    }
  }

  static std::string peer_of(const tcp::socket& socket) {
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    return error ? "" : endpoint.address().to_string();
  }

  asio::awaitable<void> connection(beast::tcp_stream stream, std::string peer) {
    error_code error;
    stream.socket().set_option(tcp::no_delay(true), error);
    RequestReader reader(options_.header_bytes_max, options_.body_bytes_max);
    while (!stopping_) {  // two co_awaits in one condition are miscompiled by GCC 12
      const bool complete = co_await receive(stream, reader, peer);
      if (!complete) break;
      const bool more = co_await answer(stream, reader, peer);
      if (!more) break;
    }
    stream.socket().shutdown(tcp::socket::shutdown_both, error);
  }

  // Reads until a request is complete; false when the connection is to end.
  asio::awaitable<bool> receive(beast::tcp_stream& stream, RequestReader& reader, const std::string& peer) {
    const Receiving receiving(*this, stream);
    stream.expires_after(seconds(options_.header_timeout_s));
    for (;;) {
      const auto progress = reader.advance();
      receiving.set(reader.bytes());
      if (progress == RequestReader::Progress::kComplete) co_return true;
      if (progress == RequestReader::Progress::kRefused) {
        co_await refuse(stream, reader, peer);
        co_return false;
      }
      if (progress == RequestReader::Progress::kHead) {
        stream.expires_after(seconds(options_.body_timeout_s));
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        if (reader.expects_continue()) co_await asio::async_write(stream, asio::buffer(go_on), kTuple);
        continue;
      }
      const std::span<char> room = reader.room();
      auto [error, count] = co_await stream.async_read_some(asio::buffer(room.data(), room.size()), kTuple);
      if (error) co_return false;
      reader.received(count);
    }
  }

  // Has the request answered; false when the connection is to end.
  asio::awaitable<bool> answer(beast::tcp_stream& stream, RequestReader& reader, const std::string& peer) {
    const bool chunked = reader.is_http_1_1(), keep_alive = chunked && reader.keep_alive() && !stopping_;
    ServerRequest request = reader.take();
    request.peer = peer;
    const ServerExchange::Bounds bounds{options_.pending_bytes_max, unsent_, [this] { drop_stuck(); }};
    const auto exchange = std::make_shared<ServerExchange>(io_, std::move(request), chunked, keep_alive, bounds);
    asio::steady_timer timer(io_);
    exchange->attach(timer);
    struct Detach {
      ServerExchange& exchange;
      ~Detach() { exchange.detach(); }
    } detach{*exchange};
    watch(stream, exchange);
    handler_(exchange);
    const bool sent = co_await deliver(stream, *exchange);
    error_code ignored;
    stream.socket().cancel(ignored);  // the watch
    co_return sent && exchange->keep_alive();
  }

  asio::awaitable<bool> deliver(beast::tcp_stream& stream, ServerExchange& exchange) {
    for (;;) {
      stream.expires_never();
      const auto offer = co_await exchange.next();
      if (!offer.bytes.empty()) {
        stream.expires_after(seconds(options_.write_timeout_s));
        const auto writing = writing_.insert(writing_.end(), {stream, exchange, std::chrono::steady_clock::now()});
        auto [error, count] = co_await asio::async_write(stream, asio::buffer(offer.bytes), kTuple);
        writing_.erase(writing);
        if (error) exchange.mark_gone();
      }
      if (exchange.gone()) co_return false;
      if (offer.last) co_return true;
    }
  }

  // Notices a client that leaves while its answer is made. Bytes of a next request end the watch.
  static void watch(beast::tcp_stream& stream, const std::shared_ptr<ServerExchange>& exchange) {
    stream.socket().async_wait(tcp::socket::wait_read, [&socket = stream.socket(), exchange](error_code error) {
      if (error) return;
      char byte;
      const ssize_t count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) exchange->mark_gone();
    });
  }

  asio::awaitable<void> refuse(beast::tcp_stream& stream, const RequestReader& reader, const std::string& peer) {
    ServerRequest request = reader.head();
    request.peer = peer;
    const Refusal refusal = options_.refusal ? options_.refusal(request, reader.status(), reader.message()) : Refusal{{}, reader.message()};
    const std::string text = head_text(reader.status(), "application/json", refusal.headers) +
                             fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n{}", refusal.body.size(), refusal.body);
    stream.expires_after(std::chrono::seconds(limits::kGoodbyeS));
    co_await asio::async_write(stream, asio::buffer(text), kTuple);
    // Bytes that were not read would reset the connection before the client has seen the answer.
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    std::vector<char> rest(limits::kBodyReadBytes);
    for (uint64_t drained = 0; drained < options_.body_bytes_max;) {
      auto [read_error, count] = co_await stream.async_read_some(asio::buffer(rest), kTuple);
      if (read_error) co_return;
      drained += count;
    }
  }

  const ServerOptions options_;
  const Handler handler_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer drain_;
  // The server's thread only, but for connections_.
  bool stopping_ = false;
  std::shared_ptr<TlsFront> tls_;  // null: plain HTTP
  std::list<Place> receiving_;     // in the order in which they began to wait
  uint64_t receiving_bytes_ = 0;   // of all of them
  std::list<Writing> writing_;     // in the order in which they began to
  const std::shared_ptr<Unsent> unsent_ = std::make_shared<Unsent>();
  std::atomic<uint32_t> connections_{0};
};

}  // namespace

std::string_view ServerRequest::header(std::string_view name) const {
  const auto row = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  return row == headers.end() ? std::string_view() : std::string_view(row->second);
}

std::string_view status_text(int status) {
  const auto text = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {text.data(), text.size()};
}

Result<std::unique_ptr<Server>> Server::listen(ServerOptions options, Handler handler) {
  auto server = std::make_unique<BeastServer>(std::move(options), std::move(handler));
  RIVAL_RETURN_IF_ERROR(server->open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace rival::http
