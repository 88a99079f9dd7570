// How the server is: for people, for what starts and stops it, and for Prometheus.
#include "serve/service.h"

namespace rival::serve {
namespace {

using Kind = MetricsText::Kind;

const char* state_name(Service::State state) {
  switch (state) {
    case Service::State::kLoading: return "loading";
    case Service::State::kReady: return "ready";
    case Service::State::kDraining: return "draining";
  }
  return "";
}

void write_engine(MetricsText& out, const ServedModel& model, const engine::EngineStats& s) {
  const std::string label = metric_label("model", model.name());
  const auto gauge = [&](std::string_view name, std::string_view help, double value) { out.add(name, Kind::kGauge, help, label, value); };
  gauge("rival_running", "Answers that are being computed.", s.running);
  gauge("rival_waiting", "Answers that wait for their turn.", s.waiting);
  gauge("rival_kv_pages", "Pages for keys and values.", s.pages);
  gauge("rival_kv_pages_used", "Pages that running answers use.", s.pages_used);
  gauge("rival_kv_pages_cached", "Pages that are kept for requests to come.", s.pages_cached);
  gauge("rival_kv_page_bytes", "Size of a page.", static_cast<double>(s.bytes_per_page));
  gauge("rival_model_bytes", "Weights and pages of a loaded model.", static_cast<double>(model.memory_bytes()));
  out.add("rival_preemptions_total", Kind::kCounter, "Answers that gave their pages up and were computed again.", label, static_cast<double>(s.preemptions));
  out.add("rival_steps_total", Kind::kCounter, "Steps of the model.", label, static_cast<double>(s.steps));
  out.add("rival_step_seconds_total", Kind::kCounter, "Time in steps.", label, s.step_s);
}

}  // namespace

void health(Service&, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  respond_json(exchange, json::object{{"status", "ok"}});
}

void ready(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  const Service::State state = service.state();
  respond_json(exchange, json::object{{"status", state_name(state)}}, state == Service::State::kReady ? 200 : 503);
}

void metrics(Service& service, const std::shared_ptr<http::Exchange>& exchange, const json::object&) {
  MetricsText out;
  service.metrics().write(out);
  for (const auto& model : service.models()) write_engine(out, *model, model->engine().stats());
  out.add("rival_models_loading", Kind::kGauge, "Models that are being loaded or fetched.", "", service.known_models().loading());
  out.add("rival_http_requests_active", Kind::kGauge, "Requests under way.", "", static_cast<double>(service.calls_under_way()));
  exchange->respond(200, "text/plain; version=0.0.4; charset=utf-8", out.text());
}

}  // namespace rival::serve
