#include "serve/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <thread>

#include "base/limits.h"
#include "base/log.h"
#include "base/units.h"
#include "engine/memory.h"

namespace rival::serve {
namespace {

constexpr std::chrono::milliseconds kRoomWait{1000}, kRoomPause{10};

ApiError unknown_model(std::string_view name) {
  return {404, "not_found_error", fmt::format("the model '{}' is not on this machine; GET /v1/models lists those that are", name.substr(0, limits::kModelNameBytesMax)),
          "model", "model_not_found"};
}

// What the file itself is to blame for is the request's mistake to name it; no retry helps.
ApiError load_error(const FoundModel& found, const Error& error) {
  ApiError out = to_api_error(with_context(error, fmt::format("the model '{}' cannot be loaded", found.name)));
  out.param = "model";
  if (out.status < 500) out.code = "model_not_loadable";
  return out;
}

ApiError stopped_error() { return {503, "unavailable_error", "the server is stopping", "", "stopping"}; }

Result<Models::Loaded> load_served_model(const FoundModel& found, const engine::LoadOptions& options) {
  RIVAL_ASSIGN_OR_RETURN(std::shared_ptr<ServedModel> model, ServedModel::load(found.name, found.path, options));
  const uint64_t bytes = model->memory_bytes();
  return Models::Loaded{std::move(model), bytes};
}

}  // namespace

Models::Models(ModelFinder finder, engine::LoadOptions load, ModelLimits limits, Loader loader)
    : load_(std::move(load)),
      loader_(loader ? std::move(loader) : Loader(load_served_model)),
      free_bytes_(engine::available_memory()),
      finder_(std::move(finder)),
      limits_(limits),
      load_thread_([this] { unload_idle(); }, std::chrono::milliseconds(250)) {}

Models::~Models() { stop(); }

void Models::stop() {
  std::vector<Use> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  fetch_thread_.stop();
  load_thread_.stop();
  {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : entries_) {
      std::move(entry.waiting.begin(), entry.waiting.end(), std::back_inserter(waiting));
      entry.waiting.clear();
    }
  }
  for (Use& use : waiting) use(stopped_error());
}

// ---- what is asked for ----

void Models::with(std::string_view name, Use use) {
  if (answer_from_entries(name, use)) return;
  const ModelFinder finder = this->finder();
  const Result<FoundModel> found = finder.find(name);
  if (found.ok()) {
    {
      const std::lock_guard lock(mutex_);
      if (aliases_.size() >= limits::kModelAliasesMax) aliases_.clear();
      if (found->name != name) aliases_.emplace(name, found->name);
    }
    return load_later(*found, std::move(use));
  }
  if (found.error().code == ErrorCode::kNotFound && finder.fetch) return fetch_later(finder, std::string(name), std::move(use));
  use(found.error().code == ErrorCode::kNotFound ? unknown_model(name) : to_api_error(found.error()));
}

std::variant<FoundModel, ApiError> Models::look_up(std::string_view name) const {
  {
    const std::lock_guard lock(mutex_);
    if (const Entry* entry = find_entry(name)) return entry->found;
  }
  auto found = finder().find(name);
  if (found.ok()) return std::move(found).value();
  return found.error().code == ErrorCode::kNotFound ? unknown_model(name) : to_api_error(found.error());
}

void Models::keep(std::string_view name, double seconds) {
  {
    const std::lock_guard lock(mutex_);
    Entry* entry = find_entry(name);
    if (!entry || !entry->loaded.model) return;
    entry->keep_s = seconds;
  }
  if (seconds == 0) load_thread_.post([this] { unload_idle(); });
}

bool Models::answer_from_entries(std::string_view name, Use& use) {
  std::optional<Answer> answer;
  {
    const std::lock_guard lock(mutex_);
    Entry* entry = find_entry(name);
    if (!entry && !name.empty()) return false;
    if (!entry) {
      answer = ApiError{400, "invalid_request_error", "model: is missing, and no model was chosen when the server was started", "model", "model_missing"};
    } else if (!ask_entry(*entry, use, answer)) {
      return true;
    }
  }
  use(std::move(*answer));
  return true;
}

// True with an answer; false when `use` waits in the entry.
bool Models::ask_entry(Entry& entry, Use& use, std::optional<Answer>& answer) {
  entry.last_used = Clock::now();
  if (stopped_) {
    answer = stopped_error();
  } else if (entry.loaded.model) {
    answer = entry.loaded.model;
  } else if (entry.waiting.size() >= limits::kLoadWaitingMax) {
    answer = queue_full(fmt::format("{} requests wait for '{}' already", limits::kLoadWaitingMax, entry.found.name));
  } else {
    entry.waiting.push_back(std::move(use));
    if (!entry.loading) load_thread_.post([this, name = entry.found.name] { load_for_waiting(name); });
    entry.loading = true;
    return false;
  }
  return true;
}

void Models::load_later(const FoundModel& found, Use use) {
  std::optional<Answer> answer;
  {
    const std::lock_guard lock(mutex_);
    Entry* entry = find_entry(found.name);
    if (!entry) {
      entries_.push_back({.found = found});
      entry = &entries_.back();
    }
    if (!ask_entry(*entry, use, answer)) return;
  }
  use(std::move(*answer));
}

void Models::fetch_later(const ModelFinder& finder, std::string name, Use use) {
  bool too_many = false;
  {
    const std::lock_guard lock(mutex_);
    too_many = fetching_ >= limits::kFetchesMax;
    if (!too_many) ++fetching_;
  }
  if (too_many) return use(queue_full("too many models are being fetched already"));
  fetch_thread_.post([this, fetch = finder.fetch, name = std::move(name), use = std::move(use)]() mutable {
    const Result<FoundModel> found = fetch(name);
    {
      const std::lock_guard lock(mutex_);
      --fetching_;
    }
    if (found.ok()) return load_later(*found, std::move(use));
    use(found.error().code == ErrorCode::kNotFound ? unknown_model(name) : to_api_error(found.error()));
  });
}

// ---- loading and unloading ----

Status Models::preload(const FoundModel& found) {
  Room room;
  {
    const std::lock_guard lock(mutex_);
    if (find_entry(found.name)) return {};
  }
  if (limits_.memory_bytes > 0) room = make_room(found);
  if (room.error) return make_error(ErrorCode::kLimit, "{}", room.error->message);
  RIVAL_ASSIGN_OR_RETURN(Loaded loaded, load_into(found, room));
  const std::lock_guard lock(mutex_);
  const auto place = std::find_if(entries_.begin(), entries_.end(), [](const Entry& e) { return !e.preloaded; });
  entries_.insert(place, {.found = found, .preloaded = true, .loaded = std::move(loaded), .since_s = std::time(nullptr), .last_used = Clock::now()});
  return {};
}

Result<Models::Loaded> Models::load_into(const FoundModel& found, const Room& room) const {
  engine::LoadOptions options = load_;
  options.clip_context = true;  // the same bound for models of different lengths
  if (options.kv_bytes == 0) options.kv_bytes = room.kv_bytes;
  return loader_(found, options);
}

void Models::load_for_waiting(const std::string& name) {
  FoundModel found;
  {
    const std::lock_guard lock(mutex_);
    if (const Entry* entry = find_entry(name)) found = entry->found;
  }
  Room room = wait_for_room(found);
  room.unloaded.clear();  // what is unloaded frees its memory before the new one takes its own
  std::optional<Answer> answer;
  if (room.error) {
    answer = *room.error;
  } else {
    log(LogLevel::kDebug, "loading {}", found.name);
    Result<Loaded> loaded = load_into(found, room);
    if (!loaded.ok()) {
      log(LogLevel::kWarning, "{} cannot be loaded: {}", found.name, loaded.error().message);
      answer = load_error(found, loaded.error());
    } else {
      answer = loaded->model;
      const std::lock_guard lock(mutex_);
      Entry& entry = *find_entry(name);
      entry.loaded = std::move(loaded).value();
      entry.since_s = std::time(nullptr);
      entry.last_used = Clock::now();
    }
  }
  std::vector<Use> waiting;
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = *find_entry(name);
    entry.loading = false;
    waiting.swap(entry.waiting);
    if (!entry.loaded.model && !entry.preloaded) entries_.erase(entries_.begin() + (&entry - entries_.data()));
  }
  for (Use& use : waiting) use(*answer);
}

Models::Room Models::make_room(const FoundModel& found) {
  const std::lock_guard lock(mutex_);
  Room room;
  const uint64_t share = load_.kv_bytes > 0 ? load_.kv_bytes : budget() / 4;
  const uint64_t needed = found.bytes + (load_.kv_bytes > 0 ? load_.kv_bytes : std::min(share, std::min(limits::kKvBytesWorthwhile, budget() / 8)));
  if (needed > budget()) {
    room.error = ApiError{400, "invalid_request_error",
                          fmt::format("the model '{}' needs {} and all models together may take {}", found.name, format_bytes(needed), format_bytes(budget())),
                          "model", "model_too_large"};
    return room;
  }
  while (bytes_free() < needed) {
    Entry* oldest = oldest_idle();
    if (!oldest) {
      room.error = no_room(found, needed);
      return room;
    }
    room.unloaded.push_back(unload(*oldest));
  }
  room.kv_bytes = std::min(share, bytes_free() - found.bytes);
  return room;
}

// A client has the last word of its answer a moment before the model is let go: who asks for another one then must not
// be told that the first is at work.
Models::Room Models::wait_for_room(const FoundModel& found) {
  const Clock::time_point end = Clock::now() + kRoomWait;
  const auto stopped = [this] {
    const std::lock_guard lock(mutex_);
    return stopped_;
  };
  Room room = make_room(found);
  while (room.error && room.error->code == "models_busy" && Clock::now() < end && !stopped()) {
    std::this_thread::sleep_for(kRoomPause);
    room = make_room(found);
  }
  return room;
}

ApiError Models::no_room(const FoundModel& found, uint64_t needed) const {
  std::string busy;
  for (const Entry& entry : entries_)
    if (entry.loaded.model) busy += fmt::format("{}{} ({})", busy.empty() ? "" : ", ", entry.found.name, format_bytes(entry.loaded.bytes));
  return {503, "unavailable_error",
          fmt::format("the model '{}' needs {}, {} are free, and these would have to go but are at work: {}", found.name, format_bytes(needed),
                      format_bytes(bytes_free()), busy),
          "model", "models_busy", limits::kRetryAfterBusyS};
}

void Models::unload_idle() {
  std::vector<std::shared_ptr<ServedModel>> unloaded;
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  for (size_t i = 0; i < entries_.size();) {
    const size_t count = entries_.size();
    Entry& entry = entries_[i];
    if (entry.loaded.model && !is_idle(entry)) entry.last_used = now;
    const std::optional<double> kept = kept_s(entry);
    const bool stale = kept && now - entry.last_used >= std::chrono::duration<double>(*kept);
    if (is_idle(entry) && stale) unloaded.push_back(unload(entry));
    if (entries_.size() == count) ++i;
  }
}

// ---- entries; mutex_ is held ----

Models::Entry* Models::find_entry(std::string_view name) { return const_cast<Entry*>(std::as_const(*this).find_entry(name)); }

const Models::Entry* Models::find_entry(std::string_view name) const {
  if (name.empty()) return entries_.empty() || !entries_.front().preloaded ? nullptr : &entries_.front();
  const auto alias = aliases_.find(name);
  const std::string_view own = alias == aliases_.end() ? name : std::string_view(alias->second);
  const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.found.name == own || (!own.empty() && e.found.alias == own); });
  return place == entries_.end() ? nullptr : &*place;
}

// How long it stays without work; none: for ever.
std::optional<double> Models::kept_s(const Entry& entry) const {
  if (entry.keep_s) return *entry.keep_s < 0 ? std::nullopt : entry.keep_s;
  return limits_.idle_unload_s > 0 ? std::optional(limits_.idle_unload_s) : std::nullopt;
}

uint64_t Models::budget() const { return limits_.memory_bytes > 0 ? limits_.memory_bytes : free_bytes_ / 10 * 9; }

uint64_t Models::bytes_free() const {
  uint64_t used = 0;
  for (const Entry& entry : entries_) used += entry.loaded.model ? entry.loaded.bytes : 0;
  return budget() - std::min(budget(), used);
}

// Nobody but this object holds it, so nobody can begin to without mutex_.
bool Models::is_idle(const Entry& entry) const { return entry.loaded.model && entry.loaded.model.use_count() == 1; }

Models::Entry* Models::oldest_idle() {
  Entry* oldest = nullptr;
  for (Entry& entry : entries_)
    if (is_idle(entry) && (!oldest || entry.last_used < oldest->last_used)) oldest = &entry;
  return oldest;
}

// A preloaded model keeps its place in the list.
std::shared_ptr<ServedModel> Models::unload(Entry& entry) {
  std::shared_ptr<ServedModel> model = std::move(entry.loaded.model);
  entry.loaded = {};
  entry.keep_s.reset();
  log(LogLevel::kDebug, "unloading {}", entry.found.name);
  if (!entry.preloaded) entries_.erase(entries_.begin() + (&entry - entries_.data()));
  return model;
}

// ---- what there is ----

std::vector<std::shared_ptr<ServedModel>> Models::loaded() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<ServedModel>> models;
  for (const Entry& entry : entries_)
    if (entry.loaded.model) models.push_back(entry.loaded.model);
  return models;
}

std::vector<RunningModel> Models::running() const {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  std::vector<RunningModel> running;
  for (const Entry& entry : entries_) {
    if (!entry.loaded.model) continue;
    std::optional<double> ends = kept_s(entry);
    if (ends && is_idle(entry)) ends = std::max(0.0, *ends - std::chrono::duration<double>(now - entry.last_used).count());
    running.push_back({entry.loaded.model, entry.found.sha256, ends});
  }
  return running;
}

std::vector<ListedModel> Models::list() const {
  std::vector<ListedModel> known = finder().list();
  std::vector<ListedModel> list;
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (!entry.loaded.model && !entry.preloaded) continue;
    ListedModel row{.name = entry.found.name, .bytes = entry.found.bytes, .sha256 = entry.found.sha256};
    const auto place = std::find_if(known.begin(), known.end(), [&](const ListedModel& m) { return m.name == row.name; });
    if (place != known.end()) {
      row = std::move(*place);
      known.erase(place);
    }
    row.loaded = entry.loaded.model != nullptr;
    if (row.created_s == 0) row.created_s = entry.since_s;
    list.push_back(std::move(row));
  }
  std::move(known.begin(), known.end(), std::back_inserter(list));
  return list;
}

Result<ListedModel> Models::describe(std::string_view name) const {
  std::string own(name);
  if (const auto found = finder().find(name); found.ok()) own = found->name;
  for (ListedModel& model : list())
    if (model.name == own) return std::move(model);
  return make_error(ErrorCode::kNotFound, "the model '{}' is not on this machine", name);
}

uint32_t Models::loading() const {
  const std::lock_guard lock(mutex_);
  return fetching_ + static_cast<uint32_t>(std::count_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.loading; }));
}

ModelFinder Models::finder() const {
  const std::lock_guard lock(mutex_);
  return finder_;
}

void Models::set_finder(ModelFinder finder) {
  const std::lock_guard lock(mutex_);
  finder_ = std::move(finder);
  aliases_.clear();
}

void Models::set_limits(ModelLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

}  // namespace rival::serve
