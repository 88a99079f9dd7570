// Running another program: no shell, standard input closed, output read as it comes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rival::hub {

struct ProcessRequest {
  std::vector<std::string> arguments;                 // [0] is looked up on the PATH
  std::filesystem::path folder;                       // where it runs
  std::map<std::string, std::string> environment;     // added to this process's own
  std::function<Status(std::string_view)> on_output;  // its standard output; an error ends it and is returned
  std::function<Status()> on_tick;                    // a few times a second; an error ends it and is returned
};

struct ProcessEnd {
  int status = 0;      // exit status; 128 + signal when a signal ended it
  std::string errors;  // the last 64 kB of its standard error
};

// Errors: kNotFound when the program is not there, kIo, and what on_output or on_tick returned.
Result<ProcessEnd> run_process(const ProcessRequest& request);

}  // namespace rival::hub
