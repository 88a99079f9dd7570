// From tokens to a Tree, by jinja2's grammar with its loopcontrols extension and transformers' {% generation %}.
#pragma once

#include <memory>
#include <string_view>

#include "text/jinja_ast.h"

namespace rival::text::jinja {

// Parses and resolves (jinja_scope.h). Raises kSyntax, kLimit or kUnsupported, with the line in the message.
std::unique_ptr<const Tree> parse_template(std::string_view source);

}  // namespace rival::text::jinja
