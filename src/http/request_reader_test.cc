#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace rival::http {
namespace {

struct Seen {
  std::vector<ServerRequest> requests;
  int status = 0;
  size_t bytes_left = 0;
};

Seen read(std::string_view bytes, size_t piece) {
  RequestReader reader(300, 100);
  Seen seen;
  while (true) {
    const auto progress = reader.advance();
    if (progress == RequestReader::Progress::kComplete) seen.requests.push_back(reader.take());
    if (progress == RequestReader::Progress::kRefused) {
      seen.status = reader.status();
      return seen;
    }
    if (progress != RequestReader::Progress::kMore) continue;
    seen.bytes_left = reader.bytes();
    if (bytes.empty()) return seen;
    const auto room = reader.room();
    const size_t count = std::min({piece, room.size(), bytes.size()});
    std::memcpy(room.data(), bytes.data(), count);
    reader.received(count);
    bytes.remove_prefix(count);
  }
}

TEST(RequestReader, RequestsComeInAnyPieces) {
  const std::string bytes =
      "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-Y:  z \r\n\r\n"
      "POST /d HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n";
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{64}, bytes.size()}) {
    const Seen seen = read(bytes, piece);
    ASSERT_EQ(seen.requests.size(), 3u) << piece;
    EXPECT_EQ(seen.requests[0].path, "/a");
    EXPECT_EQ(seen.requests[0].query, "b=c");
    EXPECT_EQ(seen.requests[0].header("x-y"), "z");
    EXPECT_EQ(seen.requests[1].body, "hello");
    EXPECT_EQ(seen.requests[2].body, "abcde");
    EXPECT_EQ(seen.bytes_left, 0u);
  }
}

TEST(RequestReader, WhatIsAmbiguousOrTooLargeIsRefused) {
  const auto status = [](const std::string& head, std::string_view body = "") { return read(head + "\r\n\r\n" + std::string(body), 1000).status; };
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h"), 0);
  EXPECT_EQ(status("GET / HTTP/1.0"), 0);
  EXPECT_EQ(status("GET / HTTP/1.1"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nHost: h"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\n X: y"), 400);
  EXPECT_EQ(status("GET http://h/ HTTP/1.1\r\nHost: h"), 400);
  EXPECT_EQ(status("GET / HTTP/1.2\r\nHost: h"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3", "0\r\n\r\n"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked", "0\r\n\r\n"), 400);
  EXPECT_EQ(status("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), 400);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101"), 413);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 1", "x"), 415);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nExpect: more\r\nContent-Length: 1", "x"), 417);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(400, 'x')), 431);
  EXPECT_EQ(read(std::string(400, 'x'), 1000).status, 431);
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked", "5;" + std::string(400, 'x')), 431);
}

TEST(RequestReader, CountsWhatItHolds) {
  EXPECT_EQ(read("", 1).bytes_left, 0u);
  EXPECT_GE(read("GET / HTTP/1.1\r\nX: " + std::string(200, 'x'), 64).bytes_left, 200u);
  EXPECT_GE(read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\n" + std::string(80, 'x'), 64).bytes_left, 80u);
}

}  // namespace
}  // namespace rival::http
