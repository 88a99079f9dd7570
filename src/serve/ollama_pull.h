// POST /api/pull of Ollama's API: models fetched one after the other on a thread of their own.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "http/server.h"
#include "serve/job_thread.h"

namespace rival::serve {

class OllamaPulls {
 public:
  ~OllamaPulls() { ending_ = true; }  // what is being fetched breaks off; what has arrived is kept

  // A name of the catalogue or of the Hugging Face hub; never an address or a path. The answer is lines of progress, or
  // one object at the end. A client that leaves ends its download.
  void start(std::shared_ptr<http::Exchange> exchange, std::string name, bool stream);

 private:
  std::atomic<bool> ending_ = false;
  JobThread thread_;  // last: its jobs use the above
};

}  // namespace rival::serve
