// What the commands that take a model share.
#pragma once

#include <string>

#include "hub/hub.h"

namespace rival::cmd {

// For a person at a terminal: messages on stderr, a licence asked about when there is somebody to answer.
// RIVAL_ACCEPT_LICENCE=1 accepts as the flag does.
hub::ResolveOptions terminal_options(bool accept_licence);

// One line about a bigger model that would fit this machine, or nothing.
std::string bigger_model_hint(const hub::Hub& hub, const hub::ResolvedModel& model);

}  // namespace rival::cmd
