// Numbers of the server since its start, in Prometheus' text format. All of it is thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/request.h"

namespace rival::serve {

// Seconds in buckets from 1 ms to 2 minutes.
class Histogram {
 public:
  static constexpr std::array<double, 17> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120};

  void observe(double seconds, uint64_t times = 1);
  // NAME_bucket, NAME_sum and NAME_count; `labels` is 'a="b"' or empty.
  void write(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::array<uint64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
};

// Of one model, whether it is loaded now or not.
class ModelMetrics {
 public:
  void request();
  void first_token(double seconds);
  // `tokens` came `seconds` after those before them.
  void tokens(uint64_t count, double seconds);
  void finished(const engine::Finish& finish, bool first_answer);
  void embedded(uint64_t tokens);

  struct Numbers {
    uint64_t requests = 0, cancelled = 0, failed = 0, prefix_hits = 0;
    uint64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, drafted_tokens = 0, accepted_tokens = 0;
    Histogram first_token, inter_token, queue, answer;
  };
  Numbers numbers() const;

 private:
  mutable std::mutex mutex_;
  Numbers numbers_;  // guarded by mutex_
};

// Lines of a family, told to write_families() in any order.
class MetricsText {
 public:
  enum class Kind { kGauge, kCounter };
  void add(std::string_view name, Kind kind, std::string_view help, std::string_view labels, double value);
  void add(std::string_view name, std::string_view help, std::string_view labels, const Histogram& histogram);
  std::string text() const;

 private:
  struct Family {
    std::string name, head, lines;
  };
  std::string& lines_of(std::string_view name, std::string_view kind, std::string_view help);
  std::vector<Family> families_;
};

// 'name="value"' with what the format asks to be escaped.
std::string metric_label(std::string_view name, std::string_view value);

class Metrics {
 public:
  std::shared_ptr<ModelMetrics> model(const std::string& name);
  // `route` and `method` are of the table of routes: a client cannot make up rows.
  void answered(std::string_view method, std::string_view route, int status, double seconds);
  void write(MetricsText& out) const;

 private:
  mutable std::mutex mutex_;
  // guarded by mutex_
  std::map<std::string, std::shared_ptr<ModelMetrics>> models_;
  std::map<std::tuple<std::string, std::string, int>, uint64_t> answers_;
  std::map<std::string, Histogram> durations_;
};

}  // namespace rival::serve
