// Models for requests, out of the hub: what is on this machine and, where that is wanted, what the catalogue and the
// Hugging Face hub offer.
#pragma once

#include <memory>

#include "hub/hub.h"
#include "serve/models.h"

namespace rival::serve {

struct HubFinderOptions {
  bool accept_licence = false;
  bool fetch = false;  // names of the catalogue and hf: names; never an address that a request makes up
};

ModelFinder hub_finder(std::shared_ptr<const hub::Hub> hub, HubFinderOptions options);

}  // namespace rival::serve
