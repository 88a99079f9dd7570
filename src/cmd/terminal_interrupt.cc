#include "cmd/terminal_interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "base/check.h"

namespace rival::cmd {
namespace {

// A signal handler reaches nothing but globals.
std::atomic<bool> noted_ctrl_c{false};
std::atomic<int> noted_end{0};
std::atomic<int> wake_write{-1};
constexpr std::array<int, 5> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT};
std::array<struct sigaction, kSignals.size()> before;

void note(int signal) {
  if (signal == SIGINT)
    noted_ctrl_c = true;
  else if (signal == SIGTERM || signal == SIGHUP)
    noted_end = signal;
  const int saved = errno;
  // A full pipe wakes as well as one byte more.
  [[maybe_unused]] const ssize_t written = ::write(wake_write, "", 1);
  errno = saved;
}

}  // namespace

Interrupts::Interrupts() {
  RIVAL_CHECK(::pipe2(wake_, O_NONBLOCK | O_CLOEXEC) == 0, "a pipe needs two file descriptors");
  wake_write = wake_[1];
  resume();
}

Interrupts::~Interrupts() {
  pause();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void Interrupts::drain_wake() {
  char bytes[64];
  while (::read(wake_[0], bytes, sizeof bytes) > 0) {
  }
}

void Interrupts::resume() {
  noted_ctrl_c = false;
  noted_end = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before[i]);
}

void Interrupts::pause() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

bool Interrupts::ctrl_c() const { return noted_ctrl_c; }
int Interrupts::ended_by() const { return noted_end; }
void Interrupts::forget_ctrl_c() {
  noted_ctrl_c = false;
  drain_wake();
}

}  // namespace rival::cmd
