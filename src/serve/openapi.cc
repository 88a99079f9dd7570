// GET /openapi.json: the document of all routes, kept by hand and kept true by tests.
#include "serve/routes.h"

namespace rival::serve {

extern const char kOpenapiJson[];  // openapi.json

void show_openapi(Service&, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  exchange->respond(200, "application/json", kOpenapiJson);
}

}  // namespace rival::serve
