#include "serve/chat_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "serve/page_answers.h"

namespace rival::serve {
namespace {

class ChatStore : public testing::Test {
 protected:
  ChatStore() : folder_(std::filesystem::path(testing::TempDir()) / ("chats-" + new_chat_id())) {
    db_ = std::move(Connection::open(folder_ / "serve.db", true)).value();
    RIVAL_CHECK(db_->migrate(schema()).ok());
  }
  ~ChatStore() override {
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  PageChat chat(const std::string& owner, int64_t updated = 5) {
    PageChat c;
    c.id = new_chat_id(), c.owner = owner, c.created = c.updated = updated;
    RIVAL_CHECK(insert_page_chat(*db_, c).ok());
    return c;
  }
  PageMessage message(const PageChat& c, const std::string& role, const std::string& text, const std::string& state = "done", std::optional<int64_t> parent = {}) {
    PageMessage m;
    m.chat = c.id, m.role = role, m.text = text, m.state = state, m.parent = parent;
    RIVAL_CHECK(insert_page_message(*db_, m).ok());
    return m;
  }
  size_t hits(const std::string& query, const std::string& owner = "me") { return search_page(*db_, owner, query, 10)->size(); }

  std::filesystem::path folder_;
  std::unique_ptr<Connection> db_;
};

TEST_F(ChatStore, OwnersAreApart) {
  const PageChat mine = chat("me"), theirs = chat("you");
  const PageMessage secret = message(theirs, "user", "secret");
  EXPECT_FALSE(*find_page_chat(*db_, "me", theirs.id));
  EXPECT_FALSE(*find_page_message(*db_, "me", secret.id, true));
  EXPECT_EQ(hits("secret"), 0u);
  EXPECT_EQ(hits("secret", "you"), 1u);
  EXPECT_EQ(*delete_page_chats(*db_, "me", "", 1), std::vector<std::string>{mine.id});
  EXPECT_TRUE(*find_page_chat(*db_, "you", theirs.id));
  EXPECT_FALSE(*restore_page_chat(*db_, "you", mine.id));
}

TEST_F(ChatStore, PiecesAreReadBeforeAndAfterTheEnd) {
  const PageChat c = chat("me");
  PageMessage m = message(c, "assistant", "", "running");
  ASSERT_TRUE(append_page_piece(*db_, m.id, "Hel", "").ok());
  ASSERT_TRUE(append_page_piece(*db_, m.id, "lo", "why").ok());
  EXPECT_EQ((*find_page_message(*db_, "me", m.id, false))->text, "Hello");
  EXPECT_EQ(hits("hello"), 0u);
  m.state = "done";
  ASSERT_TRUE(finish_page_message(*db_, m).ok());
  EXPECT_EQ(m.text, "Hello");
  const auto stored = *find_page_message(*db_, "me", m.id, false);
  EXPECT_EQ(stored->reasoning, "why");
  EXPECT_EQ(hits("hello"), 1u);
  ASSERT_TRUE(reopen_page_message(*db_, m).ok());
  EXPECT_EQ(hits("hello"), 0u);
  ASSERT_TRUE(append_page_piece(*db_, m.id, " world", "").ok());
  ASSERT_TRUE(recover_page_messages(*db_).ok());
  const auto back = *find_page_message(*db_, "me", m.id, false);
  EXPECT_EQ(back->text, "Hello world");
  EXPECT_EQ(back->state, "interrupted");
  EXPECT_EQ(hits("world"), 1u);
  EXPECT_TRUE(db_->check(true).ok());
}

TEST_F(ChatStore, PurgingLeavesNoWordBehind) {
  const PageChat c = chat("me");
  PageMessage m = message(c, "user", "zebra");
  message(c, "assistant", "", "running", m.id);
  ASSERT_TRUE(keep_page_tokens(*db_, m.id, {}).ok());
  ASSERT_EQ(delete_page_chats(*db_, "me", c.id, 100)->size(), 1u);
  EXPECT_EQ(hits("zebra"), 0u);
  ASSERT_TRUE(purge_page_chats(*db_, 100).ok());
  EXPECT_TRUE(*restore_page_chat(*db_, "me", c.id));  // not yet gone
  ASSERT_EQ(delete_page_chats(*db_, "me", c.id, 100)->size(), 1u);
  ASSERT_TRUE(purge_page_chats(*db_, 101).ok());
  EXPECT_FALSE(*restore_page_chat(*db_, "me", c.id));
  auto row = db_->query("SELECT (SELECT count(*) FROM page_messages), (SELECT count(*) FROM page_tokens), (SELECT count(*) FROM page_index WHERE page_index MATCH 'zebra')");
  ASSERT_TRUE(*row->step());
  EXPECT_EQ(row->integer(0) + row->integer(1) + row->integer(2), 0);
}

TEST_F(ChatStore, TheListIsWalkedInPages) {
  for (int i = 0; i < 7; ++i) chat("me", i / 2);  // equal times too
  std::set<std::string> seen;
  PageChatQuery query{.limit = 3};
  for (int pages = 1;; ++pages) {
    const auto list = list_page_chats(*db_, "me", query);
    for (const PageChat& c : list->chats) EXPECT_TRUE(seen.insert(c.id).second);
    query.before = list->next;
    if (!list->next) {
      EXPECT_EQ(pages, 3);
      break;
    }
  }
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_FALSE(list_page_chats(*db_, "me", {.before = "nonsense"}).ok());
}

TEST(Utf16, LengthsAreJavaScripts) {
  EXPECT_EQ(utf16_length(""), 0u);
  EXPECT_EQ(utf16_length("aü€"), 3u);
  EXPECT_EQ(utf16_length("😀"), 2u);
}

}  // namespace
}  // namespace rival::serve
