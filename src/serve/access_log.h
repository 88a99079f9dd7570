// One line a request: who asked for what, and how long and how many tokens it took. Never what was said, and no keys.
#pragma once

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>

#include "base/result.h"
#include "serve/job_thread.h"

namespace rival::serve {

class AccessLog {
 public:
  // A file that is appended to, or "-" for standard output. Errors: kIo.
  static Result<std::unique_ptr<AccessLog>> open(const std::string& target);
  ~AccessLog();

  // Any thread; the disk is waited for elsewhere. Lines that a slow disk cannot take are counted and dropped.
  void write(std::string line);
  // Opens the file anew, for programs that move logs away.
  void reopen();

 private:
  AccessLog(std::string target, std::FILE* file) : target_(std::move(target)), file_(file) {}

  const std::string target_;
  std::FILE* file_;  // the writer's
  std::atomic<uint64_t> waiting_{0}, dropped_{0};
  JobThread writer_;  // last: its jobs use all of the above
};

}  // namespace rival::serve
