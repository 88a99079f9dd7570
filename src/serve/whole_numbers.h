// Whole numbers of a JSON text that no 64 bits hold: the parser makes them the nearest double, which would change what
// a client sends silently.
#pragma once

#include <string>
#include <string_view>

namespace rival::serve {

// The place of the first one that is not kept exactly, as messages[0].content; empty: all are. REQUIRES a text that
// parse_json() takes.
std::string changed_whole_number(std::string_view text);

}  // namespace rival::serve
