#include "http/client.h"

#include <gtest/gtest.h>

#include "http/url.h"

namespace rival::http {
namespace {

TEST(Url, Parts) {
  const auto url = parse_url("HTTPS://Host.Example:8080/a/b.gguf?x=1#part");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->text(), "https://host.example:8080/a/b.gguf?x=1");
  EXPECT_EQ(parse_url("http://host")->text(), "http://host/");
  EXPECT_EQ(parse_url("http://host?q")->text(), "http://host/?q");
}

TEST(Url, Refused) {
  for (const char* text :
       {"file:///etc/passwd", "ftp://host/x", "host/x", "http://", "http://:80/", "http://u:p@host/",
        "http://host/a b", "http://host/\n", "javascript:alert(1)", ""})
    EXPECT_EQ(parse_url(text).error().code, ErrorCode::kInvalidArgument) << text;
}

TEST(Url, LocationAgainstItsBase) {
  const Url base = *parse_url("https://host/a/b?q=1");
  EXPECT_EQ(resolve_location(base, "/c")->text(), "https://host/c");
  EXPECT_EQ(resolve_location(base, "c?x")->text(), "https://host/a/c?x");
  EXPECT_EQ(resolve_location(base, "?y")->text(), "https://host/a/b?y");
  EXPECT_EQ(resolve_location(base, "//other/d")->text(), "https://other/d");
  EXPECT_EQ(resolve_location(base, "http://other/d?u=http://x")->text(), "http://other/d?u=http://x");
  EXPECT_EQ(resolve_location(base, "/d?u=http://x")->text(), "https://host/d?u=http://x");
  EXPECT_FALSE(resolve_location(base, "file:///etc/passwd").ok());
}

TEST(Url, EncodePath) { EXPECT_EQ(encode_path("a b/ü?.gguf"), "a%20b/%C3%BC%3F.gguf"); }

TEST(Url, DecodePercent) {
  EXPECT_EQ(decode_percent("a%20b%2f%C3%BC"), "a b/ü");
  EXPECT_EQ(decode_percent("100%"), "100%");
  EXPECT_EQ(decode_percent("%4"), "%4");
  EXPECT_EQ(decode_percent("%zz%+1"), "%zz%+1");
}

TEST(Url, QueryParameter) {
  EXPECT_EQ(query_parameter("limit=20&after_id=b%3A1", "after_id"), "b:1");
  EXPECT_EQ(query_parameter("a&b=", "a"), "");
  EXPECT_EQ(query_parameter("a&b=", "b"), "");
  EXPECT_EQ(query_parameter("ab=1", "a"), std::nullopt);
  EXPECT_EQ(query_parameter("", "a"), std::nullopt);
}

TEST(Client, UnreachableHostIsANetworkErrorThatSaysWhatToDo) {
  const auto result = get({.url = "http://127.0.0.1:1/"});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kNetwork);
  EXPECT_NE(result.error().message.find("check the network"), std::string::npos);
}

TEST(Client, StatusErrors) {
  EXPECT_EQ(status_error({.status = 404}).code, ErrorCode::kNotFound);
  EXPECT_EQ(status_error({.status = 401}).code, ErrorCode::kDenied);
  EXPECT_EQ(status_error({.status = 403}).code, ErrorCode::kDenied);
  EXPECT_EQ(status_error({.status = 503}).code, ErrorCode::kNetwork);
}

}  // namespace
}  // namespace rival::http
