// The table of routes: what may be asked, and who answers. Each row stands in openapi.json, too.
#pragma once

#include <span>
#include <string_view>

#include "serve/service.h"

namespace rival::serve {

struct Route {
  std::string_view method;
  std::string_view path;  // "{...}" stands for one part, whatever it is
  bool prefix;            // the path is followed by a name
  bool open;              // needs no key, and answers while the server is loading or stopping
  RouteHandler handler;
  ModelHandler model_handler = nullptr;  // in place of the other
  bool needs_body = true;                // of POST
};

std::span<const Route> routes();

void show_openapi(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body);

}  // namespace rival::serve
