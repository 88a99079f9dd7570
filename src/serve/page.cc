#include "serve/page.h"

#include <openssl/rand.h>

#include <charconv>

#include "base/limits.h"
#include "base/log.h"
#include "http/url.h"
#include "serve/api_keys.h"

namespace rival::serve {
namespace {

constexpr std::string_view kApi = "/ui/api/";
constexpr std::string_view kCookie = "rival_session=";
constexpr int64_t kPurgeEveryMs = 30'000;
constexpr int64_t kWrongKeysMs = 60'000;

enum class Caller : uint8_t { kAny, kOwner };
enum class Body : uint8_t { kNone, kJson, kBytes };

struct Row {
  std::string_view method, path;  // '*' stands for one component
  Caller caller;
  Body body;
  PageRoute route;
  PageDirectRoute direct = nullptr;
};

PageReply show_info(Page& page, Connection&, PageCall& call) {
  const bool needs_key = page.service().needs_key();
  return json::object{{"version", page.version()},
                      {"needs_key", needs_key},
                      {"signed_in", !needs_key || !call.owner.empty()},
                      {"sequence", page.events().sequence()}};
}

void follow_events(Page& page, PageCall& call) {
  std::optional<uint64_t> after;
  if (const auto text = call.parameter("after")) {
    uint64_t value = 0;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (code != std::errc() || end != text->data() + text->size()) return respond_error(call.exchange, bad_field("after", "is no sequence number"));
    after = value;
  }
  if (!page.events().subscribe(call.exchange, call.owner, after))
    respond_error(call.exchange, {429, "rate_limit_error", "too many tabs are open", "", "rate_limit_exceeded"});
}

void sign_in(Page& page, PageCall& call) { page.sign_in(call); }
void sign_out(Page& page, PageCall& call) { page.sign_out(call); }

constexpr Row kRows[] = {
    {"GET", "info", Caller::kAny, Body::kNone, show_info},
    {"POST", "session", Caller::kAny, Body::kJson, nullptr, sign_in},
    {"DELETE", "session", Caller::kAny, Body::kNone, nullptr, sign_out},
    {"GET", "events", Caller::kOwner, Body::kNone, nullptr, follow_events},
    {"GET", "chats", Caller::kOwner, Body::kNone, list_chats},
    {"POST", "chats", Caller::kOwner, Body::kJson, create_chat},
    {"DELETE", "chats", Caller::kOwner, Body::kNone, delete_all_chats},
    {"GET", "chats/*", Caller::kOwner, Body::kNone, show_chat},
    {"PATCH", "chats/*", Caller::kOwner, Body::kJson, change_chat},
    {"DELETE", "chats/*", Caller::kOwner, Body::kNone, delete_chat},
    {"POST", "chats/*/title", Caller::kOwner, Body::kJson, title_chat},
    {"POST", "chats/*/messages", Caller::kOwner, Body::kJson, send_message},
    {"POST", "chats/*/answers", Caller::kOwner, Body::kJson, answer_again},
    {"POST", "chats/*/continue", Caller::kOwner, Body::kJson, continue_answer},
    {"POST", "chats/*/stop", Caller::kOwner, Body::kJson, stop_answers},
    {"POST", "restore", Caller::kOwner, Body::kJson, restore_chats},
    {"GET", "messages/*/attachments/*", Caller::kOwner, Body::kNone, show_attachment},
    {"GET", "messages/*/tokens", Caller::kOwner, Body::kNone, show_tokens},
    {"POST", "count", Caller::kOwner, Body::kJson, count_tokens},
    {"POST", "temporary", Caller::kOwner, Body::kJson, nullptr, answer_temporarily},
    {"GET", "search", Caller::kOwner, Body::kNone, search_chats},
    {"GET", "preferences", Caller::kOwner, Body::kNone, show_preferences},
    {"PUT", "preferences", Caller::kOwner, Body::kJson, put_preferences},
    {"POST", "attachments", Caller::kOwner, Body::kBytes, nullptr, read_attachment},
    {"GET", "export", Caller::kOwner, Body::kNone, export_chats},
    {"POST", "import", Caller::kOwner, Body::kBytes, import_chats},
    {"GET", "models", Caller::kOwner, Body::kNone, list_page_models},
    {"POST", "models/download", Caller::kOwner, Body::kJson, nullptr, start_download},
    {"POST", "models/cancel", Caller::kOwner, Body::kJson, nullptr, cancel_download},
};

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool matches(std::string_view pattern, const std::vector<std::string_view>& given, std::vector<std::string>& wild) {
  const auto wanted = components(pattern);
  if (wanted.size() != given.size()) return false;
  wild.clear();
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "*" && !given[i].empty()) wild.emplace_back(given[i]);
    else if (wanted[i] != given[i]) return false;
  }
  return true;
}

// A page of another site may make the browser send requests here, with our cookie or to a server without keys. It
// cannot set a header of its own without asking first (which nothing here allows), nor hide its origin.
bool from_elsewhere(const http::ServerRequest& request) {
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  if (request.method == "GET") return false;
  const std::string_view origin = request.header("origin");
  const std::string_view host = request.header("host");
  if (!origin.empty() && origin != fmt::format("http://{}", host) && origin != fmt::format("https://{}", host)) return true;
  return request.header("x-rival") != "1";
}

std::string_view cookie_token(const http::ServerRequest& request) {
  std::string_view cookies = request.header("cookie");
  while (!cookies.empty()) {
    std::string_view one = cookies.substr(0, cookies.find(';'));
    cookies.remove_prefix(std::min(one.size() + 1, cookies.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(kCookie)) return one.substr(kCookie.size());
  }
  return {};
}

std::string cookie_header(std::string_view token, int64_t seconds) {
  return fmt::format("{}{}; Path=/ui/; Max-Age={}; HttpOnly; SameSite=Strict", kCookie, token, seconds);
}

}  // namespace

std::optional<std::string> PageCall::parameter(std::string_view name) const { return http::query_parameter(exchange->request().query, name); }

std::optional<int64_t> PageCall::id(size_t at) const {
  int64_t value = 0;
  const std::string& text = path[at];
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

void PageReply::send(const std::shared_ptr<http::Exchange>& exchange) const {
  if (const auto* body = std::get_if<json::value>(&state_)) exchange->respond(status_, "application/json", to_json_text(*body), {{"Cache-Control", "no-store"}});
  if (const auto* error = std::get_if<ApiError>(&state_)) respond_error(exchange, *error);
}

Page::Page(Service& service, const hub::Hub& hub, std::string version)
    : service_(service),
      hub_(hub),
      version_(std::move(version)),
      answers_(service.database(), events_, [this](Connection& db, const std::string& owner, const PageMessage& message, const std::shared_ptr<ServedModel>& model) {
        answered(db, owner, message, model);
      }),
      downloads_(hub, events_) {
  database().wait([this](Connection& db) {
    if (database().first()) {
      if (const Status recovered = recover_page_messages(db); !recovered.ok()) log(LogLevel::kError, "{}", recovered.error().message);
    }
    auto sessions = page_sessions(db, now_ms());
    if (!sessions.ok()) return log(LogLevel::kError, "{}", sessions.error().message);
    for (PageSession& row : *sessions) sessions_[row.token_hash] = {row.owner, row.expires};
  });
}

Page::~Page() = default;

json::object Page::chat_json(const PageChat& chat) const {
  json::object out = to_json(chat);
  const std::vector<int64_t> running = answers_.running(chat.id);
  out["running"] = json::array(running.begin(), running.end());
  return out;
}

bool Page::handle(const std::shared_ptr<http::Exchange>& exchange) {
  const http::ServerRequest& request = exchange->request();
  if (!std::string_view(request.path).starts_with(kApi)) return request.method == "GET" && respond_page_file(exchange);
  const auto given = components(std::string_view(request.path).substr(kApi.size()));
  bool path_known = false;
  PageCall call{.exchange = exchange, .owner = {}, .path = {}, .body = {}};
  for (const Row& row : kRows) {
    if (!matches(row.path, given, call.path)) continue;
    path_known = true;
    if (row.method != request.method) continue;
    if (from_elsewhere(request)) {
      respond_error(exchange, {403, "permission_error", "this request does not come from the page itself: it needs the header X-Rival: 1 and the page's own origin", "", "cross_site"});
      return true;
    }
    const auto owner = owner_of(request);
    if (!owner && row.caller == Caller::kOwner) {
      respond_error(exchange, {401, "authentication_error", "sign in with a key of this server", "", "session_needed"});
      return true;
    }
    call.owner = owner.value_or("");
    if (row.body == Body::kJson) {
      auto body = parse_json(request.body.empty() ? std::string_view("{}") : std::string_view(request.body));
      if (!body.ok() || !body->is_object()) {
        respond_error(exchange, {400, "invalid_request_error", body.ok() ? "the body is not an object" : body.error().message, "", "invalid_json"});
        return true;
      }
      call.body = std::move(body->get_object());
      exchange->drop_body();
    }
    if (row.direct) row.direct(*this, call);
    else database().post([this, route = row.route, call = std::move(call)](Connection& db) mutable { route(*this, db, call).send(call.exchange); });
    if (const int64_t now = now_ms(); now > purged_ + kPurgeEveryMs) {
      purged_ = now;
      database().post([now](Connection& db) {
        if (const Status purged = purge_page_chats(db, now - limits::kPageUndoMs); !purged.ok()) log(LogLevel::kError, "{}", purged.error().message);
      });
    }
    return true;
  }
  respond_error(exchange, path_known ? ApiError{405, "invalid_request_error", fmt::format("{} is not possible here", request.method), "", "method_not_allowed"}
                                     : ApiError{404, "not_found_error", fmt::format("there is nothing at {}", request.path), "", "not_found"});
  return true;
}

// ---- sessions ----

std::optional<std::string> Page::owner_of(const http::ServerRequest& request) const {
  if (!service_.needs_key()) return "";
  if (auto owner = service_.key_owner(request)) return owner;
  const std::string_view token = cookie_token(request);
  if (token.empty()) return std::nullopt;
  const auto place = sessions_.find(sha256_text(token));
  if (place == sessions_.end() || place->second.expires <= now_ms() || !service_.is_owner(place->second.owner)) return std::nullopt;
  return place->second.owner;
}

bool Page::too_many_wrong_keys(const std::string& peer) const {
  const auto place = wrong_keys_.find(peer);
  return place != wrong_keys_.end() && place->second.since > now_ms() - kWrongKeysMs && place->second.count >= limits::kPageWrongKeysMax;
}

void Page::sign_in(PageCall& call) {
  const std::string peer = call.exchange->request().peer;
  if (too_many_wrong_keys(peer)) return respond_error(call.exchange, {429, "rate_limit_error", "too many wrong keys; wait a minute", "", "rate_limit_exceeded"});
  Fields fields(call.body);
  const auto key = fields.text("key");
  if (fields.error()) return respond_error(call.exchange, *fields.error());
  const auto owner = service_.needs_key() ? service_.key_owner(key.value_or("")) : std::optional<std::string>("");
  if (!owner) {
    if (wrong_keys_.size() > limits::kPageSessionsMax) wrong_keys_.clear();
    WrongKeys& wrong = wrong_keys_[peer];
    if (wrong.since <= now_ms() - kWrongKeysMs) wrong = {now_ms(), 0};
    ++wrong.count;
    return respond_error(call.exchange, {401, "authentication_error", "this is no key of this server", "key", "session_needed"});
  }
  if (sessions_.size() >= limits::kPageSessionsMax) return respond_error(call.exchange, {429, "rate_limit_error", "too many sessions are open", "", "rate_limit_exceeded"});
  unsigned char bytes[32];
  RIVAL_CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  std::string token;
  for (unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  const std::string hash = sha256_text(token);
  const int64_t expires = now_ms() + limits::kPageSessionMs;
  sessions_[hash] = {*owner, expires};
  database().post([exchange = call.exchange, token, hash, owner = *owner, expires](Connection& db) {
    const Status stored = insert_page_session(db, hash, owner, expires);
    if (!stored.ok()) return respond_error(exchange, to_api_error(stored.error()));
    exchange->respond(200, "application/json", "{}", {{"Set-Cookie", cookie_header(token, limits::kPageSessionMs / 1000)}, {"Cache-Control", "no-store"}});
  });
}

void Page::sign_out(PageCall& call) {
  const std::string hash = sha256_text(cookie_token(call.exchange->request()));
  sessions_.erase(hash);
  database().post([exchange = call.exchange, hash](Connection& db) {
    const Status gone = delete_page_session(db, hash);
    if (!gone.ok()) return respond_error(exchange, to_api_error(gone.error()));
    exchange->respond(200, "application/json", "{}", {{"Set-Cookie", cookie_header("", 0)}, {"Cache-Control", "no-store"}});
  });
}

}  // namespace rival::serve
