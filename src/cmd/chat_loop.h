#pragma once

#include "cmd/chat_session.h"

namespace rival::cmd {

// Reads and answers until the person leaves; the exit status.
int run_chat(ChatSession& session, const hub::Hub& hub, Interrupts& interrupts);

}  // namespace rival::cmd
