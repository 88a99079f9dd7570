#include "serve/models.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

namespace rival::serve {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMB = 1'000'000;

// Models that are names and sizes only: Models never looks into one.
class Shelf {
 public:
  std::map<std::string, uint64_t> sizes = {{"a", 100 * kMB}, {"b", 100 * kMB}, {"c", 150 * kMB}, {"huge", 900 * kMB}};
  std::set<std::string> broken;
  std::atomic<int> loads{0};
  std::atomic<int> alive{0};
  std::function<void()> on_load = [] {};

  ModelFinder finder() {
    return {.find = [this](std::string_view name) -> Result<FoundModel> {
              const std::string own(name == "alias" ? "a" : name);
              if (!sizes.count(own)) return make_error(ErrorCode::kNotFound, "no '{}'", name);
              return FoundModel{own, "/nowhere", sizes[own]};
            },
            .list =
                [this] {
                  std::vector<ListedModel> list;
                  for (const auto& [name, bytes] : sizes) list.push_back({.name = name, .bytes = bytes});
                  return list;
                }};
  }

  Models::Loader loader() {
    return [this](const FoundModel& found, const engine::LoadOptions& options) -> Result<Models::Loaded> {
      on_load();
      ++loads;
      if (broken.count(found.name)) return make_error(ErrorCode::kCorrupt, "bytes are missing");
      ++alive;
      const std::shared_ptr<int> life(new int(0), [this](int* p) {
        --alive;
        delete p;
      });
      return Models::Loaded{std::shared_ptr<ServedModel>(life, reinterpret_cast<ServedModel*>(life.get())), found.bytes + options.kv_bytes};
    };
  }
};

ModelLimits budget(uint64_t megabytes) { return {.memory_bytes = megabytes * kMB}; }

// What with() gives, waited for.
Models::Answer get(Models& models, std::string_view name) {
  std::promise<Models::Answer> promise;
  models.with(name, [&](Models::Answer answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

std::shared_ptr<ServedModel> model_of(Models::Answer answer) {
  const auto* error = std::get_if<ApiError>(&answer);
  EXPECT_EQ(error, nullptr) << error->message;
  return error ? nullptr : std::get<std::shared_ptr<ServedModel>>(answer);
}

ApiError error_of(Models::Answer answer) {
  EXPECT_TRUE(std::holds_alternative<ApiError>(answer));
  return std::holds_alternative<ApiError>(answer) ? std::get<ApiError>(answer) : ApiError{};
}

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(10ms);
  return condition();
}

TEST(Models, OneLoadServesAllThatWait) {
  Shelf shelf;
  std::promise<void> go;
  std::shared_future<void> gate = go.get_future().share();
  shelf.on_load = [gate] { gate.wait(); };
  Models models(shelf.finder(), {}, budget(1000), shelf.loader());
  std::atomic<int> served{0};
  for (int i = 0; i < 50; ++i)
    models.with(i % 2 ? "a" : "alias", [&](Models::Answer answer) { served += std::holds_alternative<std::shared_ptr<ServedModel>>(answer); });
  EXPECT_EQ(served, 0);
  EXPECT_EQ(models.loading(), 1u);
  EXPECT_EQ(error_of(get(models, "nobody")).status, 404);  // at once, while another is loaded
  go.set_value();
  EXPECT_TRUE(soon([&] { return served == 50; }));
  EXPECT_EQ(shelf.loads, 1);
  model_of(get(models, "a"));
  EXPECT_EQ(shelf.loads, 1);
}

TEST(Models, TheOldestWithoutWorkMakesRoom) {
  Shelf shelf;
  Models models(shelf.finder(), {.kv_bytes = 10 * kMB}, budget(240), shelf.loader());
  auto a = model_of(get(models, "a"));
  model_of(get(models, "b"));
  const auto room_for_c = error_of(get(models, "huge"));
  EXPECT_EQ(room_for_c.status, 400);  // it never fits
  EXPECT_EQ(room_for_c.code, "model_too_large");
  EXPECT_EQ(error_of(get(models, "c")).code, "models_busy");  // b has gone, but a works
  EXPECT_NE(error_of(get(models, "c")).message.find("a ("), std::string::npos);
  EXPECT_EQ(error_of(get(models, "c")).status, 503);
  EXPECT_EQ(shelf.alive, 1);
  a.reset();
  model_of(get(models, "c"));
  EXPECT_EQ(shelf.alive, 1);
  EXPECT_EQ(models.loaded().size(), 1u);
  model_of(get(models, "a"));  // c goes for it
  EXPECT_EQ(shelf.loads, 4);
}

TEST(Models, OneThatIsAboutToBeLetGoMakesRoom) {
  Shelf shelf;
  Models models(shelf.finder(), {.kv_bytes = 10 * kMB}, budget(240), shelf.loader());
  auto a = model_of(get(models, "a"));
  std::thread last_word([&a] {
    std::this_thread::sleep_for(100ms);
    a.reset();
  });
  EXPECT_TRUE(model_of(get(models, "c")));
  last_word.join();
}

TEST(Models, PagesShareWhatIsLeft) {
  Shelf shelf;
  Models models(shelf.finder(), {}, budget(340), shelf.loader());
  auto a = model_of(get(models, "a"));  // with a quarter for its pages
  auto b = model_of(get(models, "b"));
  EXPECT_TRUE(b);
  EXPECT_EQ(shelf.alive, 2);
}

TEST(Models, IdleOnesAreUnloadedAndPreloadedOnesComeBack) {
  Shelf shelf;
  Models models(shelf.finder(), {}, {.memory_bytes = 1000 * kMB, .idle_unload_s = 0.3}, shelf.loader());
  ASSERT_TRUE(models.preload({"mine", "/nowhere", 50 * kMB, "./mine.gguf"}).ok());
  ASSERT_TRUE(models.preload({"mine", "/nowhere", 50 * kMB}).ok());
  EXPECT_EQ(shelf.loads, 1);
  auto held = model_of(get(models, "a"));
  EXPECT_TRUE(soon([&] { return shelf.alive == 1; }));
  std::this_thread::sleep_for(600ms);
  EXPECT_EQ(shelf.alive, 1);  // it is held
  EXPECT_EQ(models.list().front().name, "mine");
  EXPECT_FALSE(models.list().front().loaded);
  for (const char* name : {"", "mine", "./mine.gguf"}) model_of(get(models, name));
  EXPECT_EQ(shelf.loads, 3);
  held.reset();
  EXPECT_TRUE(soon([&] { return shelf.alive == 0; }));
}

TEST(Models, AClientSaysHowLongAModelStays) {
  Shelf shelf;
  Models models(shelf.finder(), {}, {.memory_bytes = 1000 * kMB, .idle_unload_s = 0.3}, shelf.loader());
  ASSERT_TRUE(models.preload({"mine", "/nowhere", 50 * kMB, "", "abc"}).ok());
  models.keep("nobody", 0);
  auto a = model_of(get(models, "alias"));
  models.keep("alias", -1);
  models.keep("mine", 100);
  ASSERT_EQ(models.running().size(), 2u);
  EXPECT_NEAR(*models.running()[0].ends_in_s, 100, 5);
  EXPECT_EQ(models.running()[0].sha256, "abc");
  EXPECT_FALSE(models.running()[1].ends_in_s);
  a.reset();
  std::this_thread::sleep_for(900ms);
  EXPECT_EQ(shelf.alive, 2);
  // As soon as it has no work.
  a = model_of(get(models, "a"));
  models.keep("a", 0);
  models.keep("mine", 0);
  EXPECT_TRUE(soon([&] { return shelf.alive == 1; }));
  std::this_thread::sleep_for(400ms);
  EXPECT_EQ(models.running().at(0).ends_in_s, 0);
  EXPECT_EQ(shelf.loads, 2);
  EXPECT_EQ(model_of(get(models, "a")), a);
  a.reset();
  EXPECT_TRUE(soon([&] { return shelf.alive == 0; }));
  // The wish went with the model.
  model_of(get(models, "mine"));
  EXPECT_NEAR(*models.running().at(0).ends_in_s, 0.3, 0.3);
}

TEST(Models, LookingUpLoadsNothing) {
  Shelf shelf;
  Models models(shelf.finder(), {}, budget(1000), shelf.loader());
  ASSERT_TRUE(models.preload({"mine", "/mine.gguf", 50 * kMB, "./mine.gguf"}).ok());
  EXPECT_EQ(std::get<FoundModel>(models.look_up("./mine.gguf")).path, "/mine.gguf");
  EXPECT_EQ(std::get<FoundModel>(models.look_up("alias")).name, "a");
  EXPECT_EQ(std::get<ApiError>(models.look_up("nobody")).code, "model_not_found");
  EXPECT_EQ(shelf.loads, 1);
}

TEST(Models, AModelThatCannotBeLoadedIsToldAndTriedAgain) {
  Shelf shelf;
  shelf.broken = {"a"};
  Models models(shelf.finder(), {}, budget(1000), shelf.loader());
  const ApiError error = error_of(get(models, "a"));
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "model_not_loadable");
  EXPECT_NE(error.message.find("bytes are missing"), std::string::npos);
  shelf.broken.clear();
  model_of(get(models, "a"));
  EXPECT_EQ(error_of(get(models, "")).status, 400);  // nothing was preloaded
}

TEST(Models, FetchesOnlyWhereThatIsWanted) {
  Shelf shelf;
  ModelFinder finder = shelf.finder();
  std::atomic<int> fetched{0};
  finder.fetch = [&](std::string_view name) -> Result<FoundModel> {
    ++fetched;
    if (name != "far") return make_error(ErrorCode::kNotFound, "no '{}'", name);
    return FoundModel{"far", "/nowhere", kMB};
  };
  Models models(finder, {}, budget(1000), shelf.loader());
  model_of(get(models, "far"));
  EXPECT_EQ(error_of(get(models, "farther")).status, 404);
  EXPECT_EQ(fetched, 2);
  models.set_finder(shelf.finder());
  EXPECT_EQ(error_of(get(models, "farthest")).status, 404);
  EXPECT_EQ(fetched, 2);
}

TEST(Models, ListNamesEachOnce) {
  Shelf shelf;
  Models models(shelf.finder(), {}, budget(1000), shelf.loader());
  ASSERT_TRUE(models.preload({"c", "/nowhere", 150 * kMB}).ok());
  model_of(get(models, "b"));
  std::vector<std::string> names;
  for (const ListedModel& model : models.list()) names.push_back(model.name);
  EXPECT_EQ(names, (std::vector<std::string>{"c", "b", "a", "huge"}));
  EXPECT_TRUE(models.describe("alias").ok());
  EXPECT_EQ(models.describe("nobody").error().code, ErrorCode::kNotFound);
}

TEST(Models, StopAnswersThoseThatWait) {
  Shelf shelf;
  std::atomic<int> refused{0};
  shelf.on_load = [] { std::this_thread::sleep_for(50ms); };
  Models models(shelf.finder(), {}, budget(1000), shelf.loader());
  for (const char* name : {"a", "b", "c"})
    models.with(name, [&](Models::Answer answer) { refused += std::holds_alternative<ApiError>(answer); });
  models.stop();
  EXPECT_GE(refused, 2);
  EXPECT_EQ(error_of(get(models, "a")).status, 503);
}

}  // namespace
}  // namespace rival::serve
