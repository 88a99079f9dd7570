#include "cmd/terminal_interrupt.h"

#include <csignal>

#include <array>
#include <atomic>

namespace rival::cmd {
namespace {

// A signal handler reaches nothing but globals.
std::atomic<bool> noted_ctrl_c{false};
std::atomic<int> noted_end{0};
constexpr std::array<int, 5> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT};
std::array<struct sigaction, kSignals.size()> before;

void note(int signal) {
  if (signal == SIGINT)
    noted_ctrl_c = true;
  else if (signal == SIGTERM || signal == SIGHUP)
    noted_end = signal;
}

}  // namespace

Interrupts::Interrupts() { resume(); }
Interrupts::~Interrupts() { pause(); }

void Interrupts::resume() {
  noted_ctrl_c = false;
  noted_end = 0;
  struct sigaction action = {};
  action.sa_handler = note;  // without SA_RESTART: a read that waits comes back
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before[i]);
}

void Interrupts::pause() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

bool Interrupts::ctrl_c() const { return noted_ctrl_c; }
int Interrupts::ended_by() const { return noted_end; }
void Interrupts::forget_ctrl_c() { noted_ctrl_c = false; }

}  // namespace rival::cmd
