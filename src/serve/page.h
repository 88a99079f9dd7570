// The back end of the page: its files, its sessions, its own API under /ui/api/ (docs/page-api.md).
//
// A request is looked at on the server's thread (who calls, is the body sound) and answered on the database's thread,
// where all changes of chats and all events about them are made in one order.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "hub/hub.h"
#include "serve/chat_store.h"
#include "serve/fields.h"
#include "serve/job_thread.h"
#include "serve/page_answers.h"
#include "serve/page_downloads.h"
#include "serve/page_events.h"
#include "serve/page_prompt.h"
#include "serve/service.h"

namespace rival::serve {

// One request of the page's API.
struct PageCall {
  std::shared_ptr<http::Exchange> exchange;
  std::string owner;
  std::vector<std::string> path;  // what stands at the '*' of the route
  json::object body;              // of a JSON route

  std::optional<std::string> parameter(std::string_view name) const;  // of the query
  std::optional<int64_t> id(size_t at) const;                         // path[at] as a message's id
};

// What a route gives back: a body, an error, or nothing where it answers by itself, now or later.
struct PageLater {};
class PageReply {
 public:
  PageReply(json::value body, int status = 200) : state_(std::move(body)), status_(status) {}
  PageReply(json::object body, int status = 200) : state_(json::value(std::move(body))), status_(status) {}
  PageReply(ApiError error) : state_(std::move(error)) {}
  PageReply(const Error& error) : state_(to_api_error(error)) {}
  PageReply(PageLater later) : state_(later) {}
  void send(const std::shared_ptr<http::Exchange>& exchange) const;

 private:
  std::variant<json::value, ApiError, PageLater> state_;
  int status_ = 200;
};

class Page {
 public:
  // All outlive the page. What was being written when the last process ended is marked so.
  Page(Service& service, const hub::Hub& hub, std::string version);
  ~Page();  // the engines have been stopped

  // The server's thread. False: the path is not the page's.
  bool handle(const std::shared_ptr<http::Exchange>& exchange);
  // Any thread. The server is about to end: tabs are let go when no answer is running.
  void stop() { answers_.end_streams(); }

  Service& service() { return service_; }
  Database& database() { return service_.database(); }
  const hub::Hub& hub() const { return hub_; }
  const std::string& version() const { return version_; }
  PageEvents& events() { return events_; }
  PageAnswers& answers() { return answers_; }
  PageDownloads& downloads() { return downloads_; }

  // The chat with what is running in it.
  json::object chat_json(const PageChat& chat) const;
  void tell_chat(const PageChat& chat) { events_.publish(chat.owner, {{"type", "chat"}, {"chat", chat_json(chat)}}); }
  // Asks the model for a title of the chat, told as an event. The database's thread.
  void make_title(Connection& db, const PageChat& chat, const std::shared_ptr<ServedModel>& model);

  // Runs `work`, which may take seconds (reading a PDF), on a thread that nobody else waits for; in order.
  void run_aside(std::function<void()> work) { aside_.post(std::move(work)); }

  // ---- sessions: the server's thread ----
  std::optional<std::string> owner_of(const http::ServerRequest& request) const;  // none: not signed in
  void sign_in(PageCall& call);
  void sign_out(PageCall& call);

 private:
  void answered(Connection& db, const std::string& owner, const PageMessage& message, const std::shared_ptr<ServedModel>& model);
  bool too_many_wrong_keys(const std::string& peer) const;

  Service& service_;
  const hub::Hub& hub_;
  const std::string version_;
  PageEvents events_;
  PageAnswers answers_;
  PageDownloads downloads_;

  struct Session {
    std::string owner;
    int64_t expires;
  };
  struct WrongKeys {
    int64_t since = 0;
    int count = 0;
  };
  std::map<std::string, Session, std::less<>> sessions_;  // by the hash of the token
  std::map<std::string, WrongKeys> wrong_keys_;           // by address
  int64_t purged_ = 0;

  JobThread aside_;
};

// ---- the routes; those that take a Connection run on the database's thread ----

using PageRoute = PageReply (*)(Page& page, Connection& db, PageCall& call);
using PageDirectRoute = void (*)(Page& page, PageCall& call);

// page_chats.cc
PageReply list_chats(Page& page, Connection& db, PageCall& call);
PageReply create_chat(Page& page, Connection& db, PageCall& call);
PageReply show_chat(Page& page, Connection& db, PageCall& call);
PageReply change_chat(Page& page, Connection& db, PageCall& call);
PageReply delete_chat(Page& page, Connection& db, PageCall& call);
PageReply delete_all_chats(Page& page, Connection& db, PageCall& call);
PageReply restore_chats(Page& page, Connection& db, PageCall& call);
PageReply title_chat(Page& page, Connection& db, PageCall& call);
PageReply search_chats(Page& page, Connection& db, PageCall& call);
PageReply show_preferences(Page& page, Connection& db, PageCall& call);
PageReply put_preferences(Page& page, Connection& db, PageCall& call);

// page_messages.cc
PageReply send_message(Page& page, Connection& db, PageCall& call);
// The message that a chat begins with: both are stored, or neither.
PageReply send_first_message(Page& page, Connection& db, const PageCall& call, const PageChat& chat, const json::object& message);
PageReply answer_again(Page& page, Connection& db, PageCall& call);
PageReply continue_answer(Page& page, Connection& db, PageCall& call);
PageReply stop_answers(Page& page, Connection& db, PageCall& call);
PageReply show_attachment(Page& page, Connection& db, PageCall& call);
PageReply show_tokens(Page& page, Connection& db, PageCall& call);
PageReply count_tokens(Page& page, Connection& db, PageCall& call);

// page_temporary.cc
void answer_temporarily(Page& page, PageCall& call);

// page_files.cc
void read_attachment(Page& page, PageCall& call);
PageReply export_chats(Page& page, Connection& db, PageCall& call);
PageReply import_chats(Page& page, Connection& db, PageCall& call);

// page_models.cc
PageReply list_page_models(Page& page, Connection& db, PageCall& call);
void start_download(Page& page, PageCall& call);
void cancel_download(Page& page, PageCall& call);

// page_static.cc: the page's files; false: no such path.
bool respond_page_file(const std::shared_ptr<http::Exchange>& exchange);

// ---- what routes share: page_fields.cc ----

std::variant<PageChat, ApiError> wanted_chat(Connection& db, const PageCall& call);  // path[0]
// Messages of a body that are not stored: [{role, text, reasoning?, attachments?, tool_calls?, tool_call_id?}].
std::variant<std::vector<PageMessage>, ApiError> read_page_messages(const json::array& rows);
std::variant<std::vector<PageAttachment>, ApiError> read_page_attachments(Connection* db, std::string_view owner, const json::array* rows);

}  // namespace rival::serve
