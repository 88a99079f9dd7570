#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace rival::http {
namespace {

using namespace std::chrono_literals;

class RunningServer {
 public:
  explicit RunningServer(Server::Handler handler, ServerOptions options = {}) {
    server_ = Server::listen(std::move(options), std::move(handler)).value();
    port_ = server_->port();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~RunningServer() {
    server_->stop(1);
    thread_.join();
  }
  uint16_t port() const { return port_; }
  Server& server() { return *server_; }

 private:
  std::unique_ptr<Server> server_;
  uint16_t port_;
  std::thread thread_;
};

class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address));
    timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view text) { EXPECT_EQ(static_cast<ssize_t>(text.size()), ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL)); }
  // Reads until `mark` has come or the other side closes.
  std::string read_until(std::string_view mark) {
    std::string text;
    char byte;
    while (text.find(mark) == std::string::npos && ::recv(fd_, &byte, 1, 0) == 1) text += byte;
    return text;
  }
  // Bytes until the other side closes.
  size_t count_all() {
    std::vector<char> piece(1 << 16);
    size_t sum = 0;
    for (ssize_t count; (count = ::recv(fd_, piece.data(), piece.size(), 0)) > 0;) sum += static_cast<size_t>(count);
    return sum;
  }
  std::string read_all() { return read_until(std::string_view("\0never\0", 7)); }

 private:
  int fd_;
};

void echo(const std::shared_ptr<Exchange>& exchange) {
  const ServerRequest& r = exchange->request();
  exchange->respond(200, "text/plain", r.method + " " + r.path + " [" + r.query + "] " + r.body, {{"X-Seen", std::string(r.header("x-test"))}});
}

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
  return condition();
}

TEST(Server, AnswersAndKeepsTheConnection) {
  RunningServer running(echo);
  Client client(running.port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a/b?x=1 HTTP/1.1\r\nHost: h\r\nX-Test: yes\r\nContent-Length: 2\r\n\r\nhi");
    const std::string answer = client.read_until("POST /a/b [x=1] hi");
    EXPECT_EQ(answer.rfind("HTTP/1.1 200 OK\r\n", 0), 0u) << answer;
    EXPECT_NE(answer.find("X-Seen: yes\r\n"), std::string::npos);
  }
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string head = client.read_all();
  EXPECT_NE(head.find("Content-Length: "), std::string::npos);
  EXPECT_EQ(head.substr(head.size() - 4), "\r\n\r\n");
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
  RunningServer running(echo);
  Client client(running.port());
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string both = client.read_all();
  EXPECT_LT(both.find("GET /1"), both.find("GET /2"));
  EXPECT_NE(both.find("GET /2"), std::string::npos);
}

TEST(Server, StreamsFromAnotherThread) {
  std::thread writer;
  RunningServer running([&](std::shared_ptr<Exchange> exchange) {
    exchange->begin_stream(200, "text/event-stream");
    writer = std::thread([exchange] {
      for (int i = 0; i < 5; ++i) {
        exchange->write("data: " + std::to_string(i) + "\n\n");
        std::this_thread::sleep_for(5ms);
      }
      exchange->end();
    });
  });
  Client client(running.port());
  client.send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string stream = client.read_until("0\r\n\r\n");
  EXPECT_NE(stream.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_NE(stream.find("data: 4\n\n"), std::string::npos);
  writer.join();
}

TEST(Server, NoticesAClientThatLeaves) {
  std::atomic<bool> told{false};
  std::shared_ptr<Exchange> kept;
  RunningServer running([&](std::shared_ptr<Exchange> exchange) {
    kept = exchange;
    exchange->on_gone([&] { told = true; });
    exchange->begin_stream(200, "text/event-stream");
  });
  Client client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.read_until("\r\n\r\n");
  EXPECT_FALSE(told);
  client.close();
  EXPECT_TRUE(soon([&] { return told.load(); }));
  EXPECT_TRUE(kept->gone());
  kept->write("nobody reads this");
  kept->end();
}

TEST(Server, ASlowReaderIsDroppedAndCostsNoMore) {
  ServerOptions options;
  options.pending_bytes_max = 100'000;
  std::shared_ptr<Exchange> kept;
  std::atomic<bool> started{false};
  RunningServer running(
      [&](std::shared_ptr<Exchange> exchange) {
        exchange->begin_stream(200, "text/plain");
        kept = exchange;
        started = true;
      },
      options);
  Client client(running.port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(soon([&] { return started.load(); }));
  EXPECT_TRUE(soon([&] {
    kept->write(std::string(50'000, 'x'));
    return kept->gone();
  }));
}

// Whole bodies are not bounded one by one, so those that nobody takes are together.
TEST(Server, AnswersThatNobodyTakesAreBoundedTogether) {
  ServerOptions options;
  options.unsent_bytes_max = 40u << 20;
  options.stuck_s = 0.2;
  const auto large = [](const std::shared_ptr<Exchange>& exchange) { exchange->respond(200, "text/plain", std::string(30u << 20, 'x')); };
  RunningServer running(large, options);
  const std::string ask = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  Client stuck(running.port()), second(running.port());
  stuck.send(ask);
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  second.send(ask);  // too much together, and the first has taken nothing for long
  EXPECT_GT(second.count_all(), 30u << 20);
  EXPECT_LT(stuck.count_all(), 30u << 20);
  // One that takes what it is given is never dropped, however much it is.
  Client third(running.port());
  third.send(ask);
  EXPECT_GT(third.count_all(), 30u << 20);
}

TEST(Server, RefusesWhatIsTooLargeOrBroken) {
  ServerOptions options;
  options.body_bytes_max = 1000;
  options.header_bytes_max = 2000;
  options.header_timeout_s = 0.3;
  options.refusal = [](const ServerRequest& request, int status, const std::string&) {
    return Refusal{{{"x-path", request.path}, {"x-peer", request.peer}}, "{\"status\":" + std::to_string(status) + "}"};
  };
  RunningServer running(echo, options);
  const auto answer = [&](std::string_view request) {
    Client client(running.port());
    client.send(request);
    return client.read_all();
  };
  const std::string too_large = answer("POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n");
  EXPECT_NE(too_large.find("{\"status\":413}"), std::string::npos);
  EXPECT_NE(too_large.find("x-path: /a\r\nx-peer: 127.0.0.1\r\n"), std::string::npos) << too_large;
  EXPECT_NE(answer("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'x') + "\r\n\r\n").find("{\"status\":431}"), std::string::npos);
  EXPECT_NE(answer("nonsense\r\n\r\n").find("{\"status\":400}"), std::string::npos);
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: h\r\n"), "");  // a header that never ends
  EXPECT_NE(answer("GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").find("GET /ok"), std::string::npos);
}

TEST(Server, UnfinishedRequestsAreBoundedTogether) {
  ServerOptions options;
  options.receiving_bytes_max = 200'000;
  RunningServer running(echo, options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 30; ++i) {
    slow.push_back(std::make_unique<Client>(running.port()));
    slow.back()->send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(9'000, 'x'));
  }
  EXPECT_EQ(slow.front()->read_all(), "");  // closed: it came first
  Client other(running.port());
  other.send("POST /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 50000\r\n\r\n" + std::string(50'000, 'x'));
  EXPECT_NE(other.read_all().find("POST /ok"), std::string::npos);
}

TEST(Server, ANewConnectionTakesThePlaceOfTheOldestIdleOne) {
  ServerOptions options;
  options.connections_max = 3;
  RunningServer running(echo, options);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(std::make_unique<Client>(running.port()));
    ASSERT_TRUE(soon([&] { return running.server().connections() == static_cast<uint32_t>(i + 1); }));
  }
  Client other(running.port());
  other.send("GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(other.read_all().find("GET /ok"), std::string::npos);
  EXPECT_EQ(idle.front()->read_all(), "");
  idle.back()->send("GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_NE(idle.back()->read_all().find("GET /ok"), std::string::npos);
}

TEST(Server, StopLetsAnswersUnderWayEnd) {
  std::shared_ptr<Exchange> kept;
  std::atomic<bool> started{false};
  auto running = std::make_unique<RunningServer>([&](std::shared_ptr<Exchange> exchange) {
    kept = exchange;
    started = true;
  });
  Client busy(running->port()), idle(running->port());
  busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(soon([&] { return started.load(); }));
  running->server().stop(5);
  EXPECT_EQ(idle.read_all(), "");
  kept->respond(200, "text/plain", "done");
  EXPECT_NE(busy.read_until("done").find("200"), std::string::npos);
}

TEST(Server, WrongHostOrTakenPortIsAnError) {
  EXPECT_EQ(Server::listen({.host = "nowhere.example"}, echo).error().code, ErrorCode::kInvalidArgument);
  RunningServer running(echo);
  EXPECT_EQ(Server::listen({.port = running.port()}, echo).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace rival::http
