#include "serve/access.h"

#include <gtest/gtest.h>

namespace rival::serve {
namespace {

using namespace std::chrono_literals;

http::ServerRequest request(http::HeaderList headers) { return {.method = "GET", .path = "/", .headers = std::move(headers)}; }

int status_of(const Access& access, http::HeaderList headers) {
  const auto error = access.check_source(request(std::move(headers)));
  return error ? error->status : 200;
}

TEST(Access, HostsThatThisMachineIsKnownBy) {
  const Access access({.hosts = {"box.local", "Chat.Example"}});
  for (const char* host : {"localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "192.168.1.5:8080", "[::1]:8080", "[fe80::1]", "box.local:80", "chat.example"})
    EXPECT_EQ(status_of(access, {{"host", host}}), 200) << host;
  for (const char* host : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3.4.5", "999.1.1.1", "[::1].evil.example", "[evil]",
                           "localhost:80@evil.example", "evil.example:localhost", "box.local.", "localhost:x", "2130706433", "0x7f.1", "xlocalhost", "[", "]"})
    EXPECT_EQ(status_of(access, {{"host", host}}), 403) << host;
  EXPECT_EQ(status_of(access, {{"host", "localhost"}, {"host", "evil.example"}}), 400);
  EXPECT_EQ(status_of(access, {}), 403);
  EXPECT_EQ(status_of(Access({.hosts = {"*"}}), {{"host", "any.example"}}), 200);
}

TEST(Access, PagesOfOtherSitesAreRefusedEvenUnderOurHost) {
  const Access access({.origins = {"https://chat.example"}});
  const auto status = [&](const char* origin, const char* host = "192.168.1.5:8080") { return status_of(access, {{"host", host}, {"origin", origin}}); };
  for (const char* origin : {"http://192.168.1.5:8080", "https://192.168.1.5:8080", "http://localhost:3000", "http://127.0.0.1", "http://[::1]:5173",
                             "https://chat.example", "HTTPS://CHAT.EXAMPLE"})
    EXPECT_EQ(status(origin), 200) << origin;
  for (const char* origin : {"null", "https://evil.example", "http://chat.example", "https://chat.example.evil.example", "https://chat.example:444", "file://",
                             "http://192.168.1.5", "http://192.168.1.5:80800", "http://localhost.evil.example", "http://localhost@evil.example",
                             "chrome-extension://abc", "javascript:alert(1)", "http://", "://localhost", "http://localhost:80/../evil"})
    EXPECT_EQ(status(origin), 403) << origin;
  EXPECT_EQ(status(std::string(600, 'a').c_str()), 403);
  EXPECT_EQ(status_of(Access({.origins = {"*"}}), {{"host", "localhost"}, {"origin", "null"}}), 200);
}

TEST(Access, PreflightGivesBackOnlyNamesOfHeaders) {
  const Access access({});
  const auto headers = [&](const char* wanted) {
    std::string names;
    for (const auto& [name, value] : access.preflight_headers(request({{"origin", "http://localhost:1"}, {"access-control-request-headers", wanted}})))
      if (name == "Access-Control-Allow-Headers") names = value;
    return names;
  };
  EXPECT_EQ(headers("authorization, x-stainless-os"), "authorization, x-stainless-os");
  EXPECT_EQ(headers("a\r\nSet-Cookie: x"), "");
  EXPECT_TRUE(access.cors_headers(request({})).empty());
}

ApiKey key_of(const std::string& text, RateLimits limits = {}) { return {.name = text, .sha256 = sha256_text(text), .limits = limits}; }

int key_status(const Access& access, http::HeaderList headers) {
  const auto identity = access.identify(request(std::move(headers)));
  const auto* error = std::get_if<ApiError>(&identity);
  return error ? error->status : 200;
}

TEST(Access, KeysInEitherHeader) {
  const Access access({.keys = {key_of("secret-one"), key_of("secret-two")}});
  EXPECT_EQ(key_status(access, {{"authorization", "Bearer secret-one"}}), 200);
  EXPECT_EQ(key_status(access, {{"authorization", "bearer secret-two"}}), 200);
  EXPECT_EQ(key_status(access, {{"x-api-key", "secret-two"}}), 200);
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer secret", "Bearer secret-one ", "Basic secret-one", "secret-one"})
    EXPECT_EQ(key_status(access, {{"authorization", wrong}}), 401) << wrong;
  EXPECT_EQ(key_status(access, {{"authorization", "Bearer " + sha256_text("secret-one")}}), 401);  // the hash is no key
  EXPECT_EQ(key_status(access, {}), 401);
  EXPECT_EQ(key_status(Access({}), {}), 200);
}

TEST(Access, KeysThatStayKeepWhatTheyUsed) {
  const AccessRules rules{.keys = {key_of("a", {.requests_per_minute = 2})}};
  Access access(rules);
  const auto admit = [&](TokenBucket::Time now) {
    return std::get<0>(access.identify(request({{"x-api-key", "a"}})))->admit(now).has_value();
  };
  const auto now = std::chrono::steady_clock::now() + 1s;
  EXPECT_FALSE(admit(now));
  EXPECT_FALSE(admit(now));
  EXPECT_TRUE(admit(now));
  access.set_rules(rules);
  EXPECT_TRUE(admit(now));
  EXPECT_FALSE(admit(now + 31s));
}

TEST(RateLimit, TokensAreChargedAfterwardsAndWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  KeyUse use(key_of("a", {.tokens_per_minute = 600}), begin);
  EXPECT_FALSE(use.admit(begin));
  use.charge_tokens(1200, begin);
  const auto refused = use.admit(begin);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->type, "rate_limit_error");
  EXPECT_EQ(refused->retry_after_s, 61);  // 601 tokens at 10 a second
  EXPECT_TRUE(use.admit(begin + 59s));
  EXPECT_FALSE(use.admit(begin + 61s));
  EXPECT_EQ(use.headers(begin + 61s, false).size(), 3u);
  EXPECT_EQ(use.headers(begin + 61s, true).size(), 6u);
}

TEST(ApiKeys, FileNamesTheFieldThatIsWrong) {
  const std::string hash(64, 'a');
  const auto parse = [](const std::string& text) {
    const auto keys = parse_key_file(text);
    return keys.ok() ? std::string() : keys.error().message;
  };
  EXPECT_EQ(parse(R"({"version":1,"keys":[{"name":"a","sha256":")" + hash + R"(","tokens_per_minute":5}]})"), "");
  EXPECT_EQ(parse(R"({"version":2,"keys":[]})"), "version: expected 1");
  EXPECT_EQ(parse(R"({"version":1})"), "keys: expected an array");
  EXPECT_EQ(parse(R"({"version":1,"keys":[7]})"), "keys[0] is not an object");
  for (const char* field : {R"("name":7,"sha256":"H")", R"("name":"a b","sha256":"H")", R"("sha256":"H")", R"("name":"a\n","sha256":"H")"}) {
    std::string text = std::string(R"({"version":1,"keys":[{)") + field + "}]}";
    text.replace(text.find("\"H\""), 3, "\"" + hash + "\"");
    EXPECT_EQ(parse(text).rfind("keys[0].name: ", 0), 0u) << text;
  }
  EXPECT_EQ(parse(R"({"version":1,"keys":[{"name":"a","sha256":"XYZ"}]})").rfind("keys[0].sha256: ", 0), 0u);
  EXPECT_NE(parse(R"({"version":1,"keys":[{"name":"a","sha256":")" + hash + R"(","tokens_per_minute":-5}]})").find("tokens_per_minute"), std::string::npos);
  const std::string one = R"({"name":"a","sha256":")" + hash + R"("})";
  EXPECT_NE(parse(R"({"version":1,"keys":[)" + one + "," + one + "]}").find("twice"), std::string::npos);
}

TEST(ApiKeys, NewOnesAreLongAndDiffer) {
  EXPECT_EQ(make_key_text().size(), 3u + 64);
  EXPECT_NE(make_key_text(), make_key_text());
}

}  // namespace
}  // namespace rival::serve
