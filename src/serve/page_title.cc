// A short title that the model gives to a chat.
#include <algorithm>

#include "base/log.h"
#include "serve/page.h"
#include "text/unicode.h"

namespace rival::serve {
namespace {

constexpr size_t kExcerptBytes = 1200;  // of a question and of its answer: a title needs no more
constexpr size_t kTitleBytes = 64;
constexpr uint32_t kTitleTokens = 24;

std::string shortened(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  text = text.substr(0, bytes);
  return std::string(text.substr(0, text::complete_utf8_prefix(text)));
}

// One line without quotes, marks and a full stop; at most kTitleBytes, cut between words.
std::string cleaned(std::string_view text) {
  std::string line;
  for (char c : text) {
    if ((c == '\n' || c == '\r') && !line.empty()) break;
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '*' && c != '#' && c != '`') line += c;
  }
  for (std::string_view prefix : {"Title:", "title:", "Titel:"})
    if (const size_t at = line.find(prefix); at != std::string::npos) line.erase(0, at + prefix.size());
  line.erase(0, line.find_first_not_of(' ') == std::string::npos ? line.size() : line.find_first_not_of(' '));
  if (line.size() > kTitleBytes) {
    line = shortened(line, kTitleBytes);
    if (const size_t space = line.rfind(' '); space != std::string::npos && space > kTitleBytes / 2) line.resize(space);
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.' || line.back() == ',' || line.back() == ':')) line.pop_back();
  return line;
}

ChatRequest title_request(const std::string& question, const std::string& answer) {
  ChatRequest request;
  request.messages = {
      json::object{{"role", "system"}, {"content", "You give short titles to conversations: three to six words in the conversation's language, nothing else."}},
      json::object{{"role", "user"}, {"content", fmt::format("Question: {}\n\nAnswer: {}\n\nGive this conversation a title of three to six words.", question, answer)}}};
  request.template_variables["enable_thinking"] = false;
  request.generation.sampler.temperature = 0;
  request.generation.max_tokens = kTitleTokens;
  request.generation.priority = -1;  // whoever waits for an answer comes first
  return request;
}

}  // namespace

void Page::make_title(Connection& db, const PageChat& chat, const std::shared_ptr<ServedModel>& model) {
  const auto messages = page_messages(db, chat.id, false);
  if (!messages.ok()) return log(LogLevel::kError, "{}", messages.error().message);
  const auto of_role = [&](std::string_view role) {
    const auto place = std::find_if(messages->begin(), messages->end(), [&](const PageMessage& m) { return m.role == role && !m.text.empty(); });
    return place == messages->end() ? std::string() : shortened(place->text, kExcerptBytes);
  };
  const std::string question = of_role("user");
  if (question.empty()) return;
  const auto keep = [this, owner = chat.owner, id = chat.id](std::string title) {
    database().post([this, owner, id, title = std::move(title)](Connection& db) {
      const auto found = find_page_chat(db, owner, id);
      if (!found.ok() || !*found || (*found)->title_by == "user" || title.empty()) return;
      PageChat chat = **found;
      chat.title = title, chat.title_by = "model";
      if (const Status stored = update_page_chat(db, chat); !stored.ok()) return log(LogLevel::kError, "{}", stored.error().message);
      tell_chat(chat);
    });
  };
  auto started = start_chat(model, title_request(question, of_role("assistant")), collect_chat(1, [keep, question](std::vector<ChatAnswer> answers) {
                              const std::string title = cleaned(answers.front().text);
                              keep(title.empty() ? cleaned(question) : title);
                            }));
  if (std::holds_alternative<ApiError>(started)) keep(cleaned(question));
}

void Page::answered(Connection& db, const std::string& owner, const PageMessage& message, const std::shared_ptr<ServedModel>& model) {
  const auto chat = find_page_chat(db, owner, message.chat);
  if (!chat.ok() || !*chat) return;
  tell_chat(**chat);  // one less is running in it
  if ((*chat)->title.empty() && !message.text.empty() && message.state != "interrupted") make_title(db, **chat, model);
}

}  // namespace rival::serve
