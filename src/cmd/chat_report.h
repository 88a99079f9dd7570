// Lines on stderr about models and answers.
#pragma once

#include <string>

#include "cmd/chat_model.h"

namespace rival::cmd {

// What was loaded, and the memory that it may take.
void report_model(const ChatModel& model, const std::string& name);

// Why an answer ended, where that was not the model's own wish.
void report_end(const Answer& answer, const ChatModel& model);

void report_rates(const Answer& answer);

}  // namespace rival::cmd
