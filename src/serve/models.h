// The models that requests may name: some loaded before the first request, the others when they are asked for, all
// within a budget of memory.
//
// Invariants
//   1. A model is loaded once, however many requests wait for it.
//   2. A model that a request holds is never unloaded: who works with one holds its shared_ptr until the last word of
//      the answer.
//   3. The bytes of all loaded models stay within the budget, but for those that were preloaded without one.
//   4. A name is looked up through ModelFinder only; no path is ever made of it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/model_handle.h"
#include "serve/api_error.h"
#include "serve/job_thread.h"
#include "serve/served_model.h"

namespace rival::serve {

struct FoundModel {
  std::string name;  // its own, whatever alias it was asked by
  std::filesystem::path path;
  uint64_t bytes = 0;      // of the weights
  std::string alias = {};  // another name of a preloaded one: the file as it was given; empty: none
  std::string sha256 = {};  // of the file; empty: not known
};

// A model as GET /v1/models lists it.
struct ListedModel {
  std::string name;
  int64_t created_s = 0;  // Unix time
  uint64_t bytes = 0;     // of the weights
  bool loaded = false;
  std::string kind, parameters, quantisation;  // where the catalogue knows them
  std::string sha256 = {};                     // of the file; empty: not known
};

// A model in memory.
struct RunningModel {
  std::shared_ptr<ServedModel> model;
  std::string sha256;               // of its file; empty: not known
  std::optional<double> ends_in_s;  // without work until then it leaves memory; none: it stays
};

// Where models come from. All functions are called from several threads.
struct ModelFinder {
  // What is on this machine. Quick, kNotFound otherwise.
  std::function<Result<FoundModel>(std::string_view name)> find;
  // Fetches what is not; may take minutes. Absent: nothing is fetched.
  std::function<Result<FoundModel>(std::string_view name)> fetch;
  // All that find() knows.
  std::function<std::vector<ListedModel>()> list;
};

struct ModelLimits {
  uint64_t memory_bytes = 0;  // of all loaded models; 0 = what is free when they are made, and preloaded ones always fit
  double idle_unload_s = 0;   // without work for so long a model is unloaded; 0 = never
};

class Models {
 public:
  struct Loaded {
    std::shared_ptr<ServedModel> model;
    uint64_t bytes = 0;  // that it takes
  };
  using Loader = std::function<Result<Loaded>(const FoundModel& found, const engine::LoadOptions& options)>;
  using Answer = std::variant<std::shared_ptr<ServedModel>, ApiError>;
  using Use = std::function<void(Answer)>;

  // `loader` absent: ServedModel::load.
  Models(ModelFinder finder, engine::LoadOptions load, ModelLimits limits, Loader loader = {});
  ~Models();  // stop()

  // Loads on the caller's thread a model that comes first in the list, the first one also for requests without a name.
  // Once it is unloaded it is loaded again from the same place. kLimit where the budget does not hold it.
  Status preload(const FoundModel& found);

  // Calls `use` once: at once, on the caller's thread, when the model is loaded or cannot be had; else later, on a
  // thread of its own. An empty name is the first preloaded model.
  void with(std::string_view name, Use use);

  // Where a model lies, by any name that with() takes; nothing is loaded or fetched.
  std::variant<FoundModel, ApiError> look_up(std::string_view name) const;

  // How long this loaded model is to stay when it has no work, in place of ModelLimits::idle_unload_s: seconds, 0 = not at
  // all, negative = for ever. Holds until another wish, or until it is unloaded. Nothing where it is not loaded.
  void keep(std::string_view name, double seconds);

  // The loaded ones, preloaded ones first.
  std::vector<std::shared_ptr<ServedModel>> loaded() const;
  std::vector<RunningModel> running() const;
  // Preloaded ones first, then the loaded ones, then what is on this machine.
  std::vector<ListedModel> list() const;
  // One of them, by any name that with() takes. kNotFound.
  Result<ListedModel> describe(std::string_view name) const;
  uint32_t loading() const;  // models that are being loaded or fetched

  void set_finder(ModelFinder finder);
  void set_limits(ModelLimits limits);

  // Waits for a load under way; later requests get an error. Idempotent.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    FoundModel found;
    bool preloaded = false;
    bool loading = false;
    Loaded loaded = {};  // model null: it is not loaded
    int64_t since_s = 0;  // Unix time of the load
    Clock::time_point last_used = {};
    std::optional<double> keep_s = {};  // what keep() said
    std::vector<Use> waiting = {};
  };
  // What a model may take, after others have gone for it.
  struct Room {
    std::vector<std::shared_ptr<ServedModel>> unloaded;
    uint64_t kv_bytes = 0;
    std::optional<ApiError> error;
  };

  // These need mutex_.
  Entry* find_entry(std::string_view name);
  const Entry* find_entry(std::string_view name) const;
  std::optional<double> kept_s(const Entry& entry) const;
  bool ask_entry(Entry& entry, Use& use, std::optional<Answer>& answer);
  uint64_t budget() const;
  uint64_t bytes_free() const;
  bool is_idle(const Entry& entry) const;
  std::shared_ptr<ServedModel> unload(Entry& entry);
  Entry* oldest_idle();
  ApiError no_room(const FoundModel& found, uint64_t needed) const;

  bool answer_from_entries(std::string_view name, Use& use);
  void load_later(const FoundModel& found, Use use);
  void fetch_later(const ModelFinder& finder, std::string name, Use use);
  Room make_room(const FoundModel& found);
  Room wait_for_room(const FoundModel& found);
  Result<Loaded> load_into(const FoundModel& found, const Room& room) const;
  void load_for_waiting(const std::string& name);
  void unload_idle();
  ModelFinder finder() const;

  const engine::LoadOptions load_;
  const Loader loader_;
  const uint64_t free_bytes_;  // when this was made
  mutable std::mutex mutex_;
  // guarded by mutex_
  ModelFinder finder_;
  ModelLimits limits_;
  std::vector<Entry> entries_;                               // preloaded ones first, in their order
  std::map<std::string, std::string, std::less<>> aliases_;  // a name that was asked for -> an entry's
  uint32_t fetching_ = 0;
  bool stopped_ = false;

  JobThread fetch_thread_, load_thread_;  // last: their jobs use all of the above
};

}  // namespace rival::serve
