// Ctrl-C, and the polite ways to end a program, as something to look at rather than to die of.
#pragma once

namespace rival::cmd {

// While one lives, SIGINT, SIGTERM and SIGHUP are noted; SIGWINCH and SIGCONT do no more than to wake who waits.
// At most one at a time.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();  // the signals do again what they did before
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // In between the signals do what they did before: a program that loads or fetches just ends.
  void pause();
  void resume();

  bool ctrl_c() const;
  int ended_by() const;  // SIGTERM or SIGHUP; 0: none yet
  bool any() const { return ctrl_c() || ended_by() != 0; }
  void forget_ctrl_c();

  // Readable once any of the signals came, so that a wait for input ends whatever thread the signal met and however
  // short before the wait.
  int wake_fd() const { return wake_[0]; }
  void drain_wake();

 private:
  int wake_[2] = {-1, -1};
};

}  // namespace rival::cmd
