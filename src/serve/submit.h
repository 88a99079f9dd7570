// The way into a model's engine for requests of clients: counted, and the model held while they are answered.
#pragma once

#include <memory>

#include "engine/request.h"
#include "serve/call.h"
#include "serve/served_model.h"

namespace rival::serve {

// As Engine::submit(). What comes of the request is counted in the model's metrics and, where one is given, in the
// record of the call that it belongs to.
Result<engine::RequestId> submit(const std::shared_ptr<ServedModel>& model, engine::Request request,
                                 const std::shared_ptr<CallRecord>& record);

}  // namespace rival::serve
