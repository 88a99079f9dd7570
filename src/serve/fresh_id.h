// Names for answers, calls and requests that clients keep apart by.
#pragma once

#include <string>
#include <string_view>

namespace rival::serve {

// The prefix and 24 random letters and digits: "msg_8fK2...". Any thread.
std::string fresh_id(std::string_view prefix);

}  // namespace rival::serve
