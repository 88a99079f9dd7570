#include "serve/ollama_pull.h"

#include <chrono>

#include "hub/hub.h"
#include "serve/fields.h"
#include "serve/ollama_request.h"
#include "serve/service.h"

namespace rival::serve {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTellEvery = std::chrono::milliseconds(250);

// What the hub sent is not the client's mistake.
ApiError pull_error(const Error& error) {
  ApiError out = to_api_error(error);
  if (error.code == ErrorCode::kCorrupt) out.status = 502, out.type = "server_error", out.code = "hub_sent_wrong_bytes";
  return out;
}

// The lines of one pull. The stream begins with the first of them, so that what fails at once has a status of its own.
class PullLines {
 public:
  PullLines(std::shared_ptr<http::Exchange> exchange, bool stream) : exchange_(std::move(exchange)), stream_(stream) {}

  void tell(const json::object& line) {
    if (!stream_) return;
    if (!begun_) exchange_->begin_stream(200, "application/x-ndjson");
    begun_ = true;
    exchange_->write(to_json_text(line) + "\n");
  }

  void progress(const std::string& file, uint64_t done, uint64_t total) {
    if (Clock::now() < next_) return;
    next_ = Clock::now() + kTellEvery;
    json::object line{{"status", "pulling " + file}, {"digest", file}, {"completed", done}};
    if (total > 0) line["total"] = total;
    tell(line);
  }

  void end(const Result<hub::ResolvedModel>& model) {
    const json::object success{{"status", "success"}};
    if (!begun_ && !model.ok()) return respond_error(exchange_, pull_error(model.error()));
    if (!stream_) return respond_json(exchange_, success);
    tell(model.ok() ? success : ollama_error(pull_error(model.error())));
    exchange_->end();
  }

 private:
  const std::shared_ptr<http::Exchange> exchange_;
  const bool stream_;
  bool begun_ = false;
  Clock::time_point next_;
};

Result<hub::ResolvedModel> fetch(const std::string& name, hub::OnProgress on_progress) {
  RIVAL_ASSIGN_OR_RETURN(const hub::Hub hub, hub::Hub::open());
  if (!hub.catalogue().find(name) && !name.starts_with("hf:"))
    return make_error(ErrorCode::kNotFound, "there is no model '{}'; `rival ls --all` shows every name, and hf:owner/name works too", name);
  return hub.resolve(name, {.on_progress = std::move(on_progress)});
}

}  // namespace

void OllamaPulls::start(std::shared_ptr<http::Exchange> exchange, std::string name, bool stream) {
  thread_.post([this, exchange = std::move(exchange), name = std::move(name), stream] {
    PullLines lines(exchange, stream);
    lines.end(fetch(name, [&](const std::string& file, uint64_t done, uint64_t total) -> Status {
      if (ending_ || exchange->gone()) return make_error(ErrorCode::kCancelled, "the download was broken off; what has arrived is kept");
      lines.progress(file, done, total);
      return {};
    }));
  });
}

void ollama_pull(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object& body) {
  Fields f(body);
  // The older name of the field.
  std::string name = f.text("model").value_or(f.text("name").value_or(""));
  if (name.empty()) f.fail("model", "is missing");
  const bool stream = f.boolean("stream", true);
  if (f.error()) return respond_error(exchange, *f.error());
  // The hub's address as this API's clients write it.
  for (const std::string_view host : {"hf.co/", "huggingface.co/"})
    if (name.starts_with(host)) name = "hf:" + name.substr(host.size());
  service.ollama_pulls().start(exchange, ollama_model_name(name), stream);
}

}  // namespace rival::serve
