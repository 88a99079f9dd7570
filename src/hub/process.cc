#include "hub/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

extern char** environ;

namespace rival::hub {
namespace {

constexpr size_t kErrorsBytesMax = 64 << 10;
constexpr int kTickMs = 200;

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      read = ends[0];
      write = ends[1];
    }
  }
  ~Pipe() {
    close_end(read);
    close_end(write);
  }
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    if (!added.count(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

Result<pid_t> spawn(const ProcessRequest& request, const Pipe& output, const Pipe& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.write, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, request.folder.c_str());
  std::vector<std::string> arguments = request.arguments;
  std::vector<std::string> environment = environment_with(request.environment);
  pid_t pid = 0;
  const int code = ::posix_spawnp(&pid, arguments[0].c_str(), &actions, nullptr, pointers(arguments).data(),
                                  pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0)
    return make_error(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot run {}: {}",
                      arguments[0], std::strerror(code));
  return pid;
}

// What is there to read now; false at the end.
bool read_some(int fd, std::string& bytes) {
  bytes.resize(1 << 16);
  ssize_t n = 0;
  do n = ::read(fd, bytes.data(), bytes.size());
  while (n < 0 && errno == EINTR);
  bytes.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return n > 0;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ProcessEnd> run_process(const ProcessRequest& request) {
  Pipe output, errors;
  if (output.read < 0 || errors.read < 0)
    return make_error(ErrorCode::kIo, "cannot open a pipe: {}", std::strerror(errno));
  RIVAL_ASSIGN_OR_RETURN(const pid_t pid, spawn(request, output, errors));
  Pipe::close_end(output.write);
  Pipe::close_end(errors.write);
  ProcessEnd end;
  std::optional<Error> stopped;
  std::string bytes;
  while (output.read >= 0 || errors.read >= 0) {
    pollfd ready[2] = {{output.read, POLLIN, 0}, {errors.read, POLLIN, 0}};
    ::poll(ready, 2, kTickMs);
    if (const Status ticked = request.on_tick && !stopped ? request.on_tick() : Status(); !ticked.ok()) {
      stopped = ticked.error();
      ::kill(pid, SIGTERM);
    }
    if (ready[0].revents) {
      if (!read_some(output.read, bytes)) Pipe::close_end(output.read);
      const Status taken =
          request.on_output && !bytes.empty() && !stopped ? request.on_output(bytes) : Status();
      if (!taken.ok()) {
        stopped = taken.error();
        ::kill(pid, SIGTERM);
      }
    }
    if (ready[1].revents) {
      if (!read_some(errors.read, bytes)) Pipe::close_end(errors.read);
      end.errors += bytes;
      if (end.errors.size() > kErrorsBytesMax) end.errors.erase(0, end.errors.size() - kErrorsBytesMax);
    }
  }
  end.status = wait_for(pid);
  if (stopped) return *stopped;
  return end;
}

}  // namespace rival::hub
