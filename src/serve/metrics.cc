#include "serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace rival::serve {
namespace {

using Kind = MetricsText::Kind;

std::string braces(std::string_view labels) { return labels.empty() ? "" : fmt::format("{{{}}}", labels); }

void write_model(MetricsText& out, const std::string& name, const ModelMetrics::Numbers& n) {
  const std::string label = metric_label("model", name);
  const auto counter = [&](std::string_view metric, std::string_view help, uint64_t value) {
    out.add(metric, Kind::kCounter, help, label, static_cast<double>(value));
  };
  counter("rival_requests_total", "Requests that reached the model.", n.requests);
  counter("rival_cancelled_total", "Answers that ended because the client left or the server stopped.", n.cancelled);
  counter("rival_failed_total", "Answers that ended in an error.", n.failed);
  counter("rival_prompt_tokens_total", "Tokens of prompts.", n.prompt_tokens);
  counter("rival_cached_tokens_total", "Tokens of prompts that were found in the prefix tree.", n.cached_tokens);
  counter("rival_prefix_hits_total", "Requests of which some of the prompt was found in the prefix tree.", n.prefix_hits);
  counter("rival_completion_tokens_total", "Tokens of answers.", n.completion_tokens);
  counter("rival_drafted_tokens_total", "Tokens that prompt lookup proposed.", n.drafted_tokens);
  counter("rival_accepted_tokens_total", "Proposed tokens that the model agreed with.", n.accepted_tokens);
  out.add("rival_time_to_first_token_seconds", "From the request to the first token of an answer.", label, n.first_token);
  out.add("rival_inter_token_seconds", "Between two tokens of an answer.", label, n.inter_token);
  out.add("rival_queue_seconds", "Until the first token of the prompt was computed.", label, n.queue);
  out.add("rival_answer_seconds", "From the request to the end of an answer.", label, n.answer);
}

}  // namespace

void Histogram::observe(double seconds, uint64_t times) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  counts_[static_cast<size_t>(bound - kBounds.begin())] += times;
  sum_ += seconds * static_cast<double>(times);
}

void Histogram::write(std::string& out, std::string_view name, std::string_view labels) const {
  const std::string before = labels.empty() ? "" : std::string(labels) + ",";
  uint64_t sum = 0;
  for (size_t i = 0; i < kBounds.size(); ++i) {
    sum += counts_[i];
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, before, kBounds[i], sum);
  }
  sum += counts_.back();
  out += fmt::format("{0}_bucket{{{1}le=\"+Inf\"}} {2}\n{0}_sum{3} {4}\n{0}_count{3} {2}\n", name, before, sum, braces(labels), sum_);
}

void ModelMetrics::request() {
  const std::lock_guard lock(mutex_);
  ++numbers_.requests;
}

void ModelMetrics::first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  numbers_.first_token.observe(seconds);
}

void ModelMetrics::tokens(uint64_t count, double seconds) {
  const std::lock_guard lock(mutex_);
  numbers_.inter_token.observe(seconds / static_cast<double>(count), count);
}

void ModelMetrics::finished(const engine::Finish& finish, bool first_answer) {
  const std::lock_guard lock(mutex_);
  numbers_.cancelled += finish.reason == engine::FinishReason::kCancelled;
  numbers_.failed += finish.reason == engine::FinishReason::kError;
  numbers_.completion_tokens += finish.usage.completion_tokens;
  numbers_.drafted_tokens += finish.usage.drafted_tokens;
  numbers_.accepted_tokens += finish.usage.accepted_tokens;
  numbers_.answer.observe(finish.timings.total_s);
  if (!first_answer) return;
  numbers_.prompt_tokens += finish.usage.prompt_tokens;
  numbers_.cached_tokens += finish.usage.cached_tokens;
  numbers_.prefix_hits += finish.usage.cached_tokens > 0;
  numbers_.queue.observe(finish.timings.queue_s);
}

void ModelMetrics::embedded(uint64_t tokens) {
  const std::lock_guard lock(mutex_);
  ++numbers_.requests;
  numbers_.prompt_tokens += tokens;
}

ModelMetrics::Numbers ModelMetrics::numbers() const {
  const std::lock_guard lock(mutex_);
  return numbers_;
}

std::string metric_label(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string& MetricsText::lines_of(std::string_view name, std::string_view kind, std::string_view help) {
  const auto family = std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.name == name; });
  if (family != families_.end()) return family->lines;
  families_.push_back({std::string(name), fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, kind, help), ""});
  return families_.back().lines;
}

void MetricsText::add(std::string_view name, Kind kind, std::string_view help, std::string_view labels, double value) {
  lines_of(name, kind == Kind::kGauge ? "gauge" : "counter", help) += fmt::format("{}{} {}\n", name, braces(labels), value);
}

void MetricsText::add(std::string_view name, std::string_view help, std::string_view labels, const Histogram& histogram) {
  histogram.write(lines_of(name, "histogram", help), name, labels);
}

std::string MetricsText::text() const {
  std::string out;
  for (const Family& family : families_) out += family.head + family.lines;
  return out;
}

std::shared_ptr<ModelMetrics> Metrics::model(const std::string& name) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<ModelMetrics>& metrics = models_[name];
  if (!metrics) metrics = std::make_shared<ModelMetrics>();
  return metrics;
}

void Metrics::answered(std::string_view method, std::string_view route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++answers_[{std::string(method), std::string(route), status}];
  durations_[std::string(route)].observe(seconds);
}

void Metrics::write(MetricsText& out) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : answers_) {
    const auto& [method, route, status] = key;
    out.add("rival_http_requests_total", Kind::kCounter, "Requests by route and status; 499: the client left.",
            metric_label("method", method) + "," + metric_label("route", route) + "," + metric_label("status", std::to_string(status)),
            static_cast<double>(count));
  }
  for (const auto& [route, histogram] : durations_)
    out.add("rival_http_request_duration_seconds", "From a whole request to the end of its answer.", metric_label("route", route), histogram);
  for (const auto& [name, metrics] : models_) write_model(out, name, metrics->numbers());
}

}  // namespace rival::serve
