// Which variable a name means. Follows jinja2's own analysis (each block of a loop, macro, with, ... is a scope whose
// variables are loaded when it is entered: from an outer scope, from the variables of the render, or as nothing), so
// that shadowing, leaking and late binding come out the same.
#pragma once

#include "text/jinja_ast.h"

namespace rival::text::jinja {

// Fills in everything that Tree marks as resolved. Raises kSyntax where jinja2 refuses to compile: an unknown filter
// or test outside of a condition, an assignment to `loop`, a break outside of a loop.
void resolve_names(Tree& tree);

}  // namespace rival::text::jinja
