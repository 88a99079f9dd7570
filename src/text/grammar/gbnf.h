// GBNF, llama.cpp's notation for grammars: rules `name ::= ...` of strings, [classes], names, (groups), | and the
// repetitions * + ? {m} {m,} {m,n}; # starts a comment.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "text/grammar/configurations.h"

namespace rival::text::grammar {

// Errors: kInvalidArgument with the line for broken syntax, a rule without definition or one defined twice, left
// recursion, a root that derives nothing; kLimit for size and nesting.
Result<std::unique_ptr<Configurations>> parse_gbnf(std::string_view text, std::string_view root);

}  // namespace rival::text::grammar
