#pragma once

namespace rival::cmd {

int print_help();  // to standard output; 0

}  // namespace rival::cmd
