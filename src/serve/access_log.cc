#include "serve/access_log.h"

#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "base/log.h"

namespace rival::serve {
namespace {

std::FILE* open_target(const std::string& target) { return target == "-" ? stdout : std::fopen(target.c_str(), "ae"); }

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& target) {
  std::FILE* file = open_target(target);
  if (!file) return make_error(ErrorCode::kIo, "cannot open the access log {}: {}", target, std::strerror(errno));
  return std::unique_ptr<AccessLog>(new AccessLog(target, file));
}

AccessLog::~AccessLog() {
  writer_.finish();
  if (file_ != stdout) std::fclose(file_);
}

void AccessLog::write(std::string line) {
  if (waiting_ >= limits::kLogLinesMax) {
    ++dropped_;
    return;
  }
  ++waiting_;
  writer_.post([this, line = std::move(line)] {
    --waiting_;
    if (const uint64_t dropped = dropped_.exchange(0)) log(LogLevel::kWarning, "the access log is slow; {} lines were dropped", dropped);
    std::fputs(line.c_str(), file_);
    std::fputc('\n', file_);
    std::fflush(file_);
  });
}

void AccessLog::reopen() {
  if (target_ == "-") return;
  writer_.post([this] {
    std::FILE* file = open_target(target_);
    if (!file) return log(LogLevel::kWarning, "cannot open {} anew; the old file goes on", target_);
    std::fclose(file_);
    file_ = file;
  });
}

}  // namespace rival::serve
