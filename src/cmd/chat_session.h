// A chat that is going on: its model, its messages, its file, and what may be done with them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cmd/answer_view.h"
#include "cmd/chat_store.h"
#include "cmd/run_flags.h"
#include "hub/hub.h"

namespace rival::cmd {

class ChatSession {
 public:
  // `hub` and `interrupts` outlive it.
  ChatSession(const hub::Hub& hub, Interrupts& interrupts, RunFlags flags);

  // Finds, fetches and loads a model; the chat goes on with it. An embedding model is refused before it is fetched.
  Status open_model(const std::string& name);

  // The last chat of the store.
  Status resume();
  // A chat file; from now on it is kept under a name of its own.
  Status load(const std::filesystem::path& path);

  // Adds a question and its answer, shown as it comes, to the chat; keeps the chat.
  Status ask(const std::string& question);
  // Takes the last question and answer away; the question.
  std::string undo();
  void clear();  // another chat; the system prompt stays
  void set_system(const std::string& text);

  std::unique_ptr<AnswerView> make_view() const;  // for an answer, as the flags and the terminal want it

  const Chat& chat() const { return chat_; }
  std::string system() const;  // its text; empty: none
  ChatModel& model() { return *model_; }
  const std::string& model_name() const { return name_; }
  const hub::ResolvedModel& resolved() const { return resolved_; }
  const ChatStore& store() const { return store_; }
  ChatSettings& settings() { return settings_; }
  const RunFlags& flags() const { return flags_; }
  void keep_chat() { keeps_ = true; }  // on disk; a single question is not kept

 private:
  Status load_model(const std::string& name);
  Result<Prompt> make_prompt();
  void tell_of(const Prompt& prompt);
  void keep();

  const hub::Hub& hub_;
  Interrupts& interrupts_;
  RunFlags flags_;
  ChatStore store_;
  std::filesystem::path path_;  // of the chat's file
  hub::ResolvedModel resolved_;
  std::string name_;
  std::unique_ptr<ChatModel> model_;
  ChatSettings settings_;
  Chat chat_;
  bool keeps_ = false;
  bool told_no_room_ = false, told_dropped_ = false, told_folded_ = false, told_plain_ = false;
};

}  // namespace rival::cmd
