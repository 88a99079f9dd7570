#include "hub/wheel.h"

#include <cstdlib>
#include <optional>

#include "base/progress.h"
#include "hub/process.h"

namespace rival::hub {
namespace fs = std::filesystem;
namespace {

// zipfile checks the member's CRC and gives no more than the size in the directory, which is bounded first.
constexpr const char* kReadMember = R"python(
import sys, zipfile
path, member, bytes_max = sys.argv[1], sys.argv[2], int(sys.argv[3])
try:
    with zipfile.ZipFile(path) as wheel:
        try:
            info = wheel.getinfo(member)
        except KeyError:
            sys.exit(3)
        if info.file_size > bytes_max:
            print(info.file_size, file=sys.stderr)
            sys.exit(4)
        with wheel.open(info) as source:
            while piece := source.read(1 << 20):
                sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
    sys.exit(f"{error}")
except Exception as error:  # zlib.error and whatever else a broken archive raises
    sys.exit(f"{type(error).__name__}: {error}")
)python";
constexpr int kExitNoMember = 3;
constexpr int kExitTooLarge = 4;

std::string python() {
  const char* name = std::getenv("RIVAL_PYTHON");
  return name && *name ? name : "python3";
}

fs::path wheel_folder(const Store& store, const PypiSource& source) {
  return store.partial_path(fmt::format("wheel-{}-{}", source.package, source.version));
}

std::optional<fs::path> find_wheel(const fs::path& folder) {
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code))
    if (entry->path().extension() == ".whl") return entry->path();
  return std::nullopt;
}

uint64_t bytes_below(const fs::path& folder) {
  uint64_t total = 0;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    const uint64_t bytes = entry->is_regular_file(ignored) ? entry->file_size(ignored) : 0;
    if (!ignored) total += bytes;
  }
  return total;
}

// pip's own last words: the last "ERROR:" line, else the last line.
std::string last_words(const std::string& errors) {
  std::string_view text(errors);
  std::string best, last;
  while (!text.empty()) {
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find("ERROR:") != std::string::npos) best = line.substr(line.find("ERROR:") + 7);
    if (!line.empty()) last = line;
  }
  return best.empty() ? last : best;
}

Error pip_error(const PypiSource& source, const ProcessEnd& end) {
  const std::string what = last_words(end.errors);
  const auto says = [&](const char* text) { return end.errors.find(text) != std::string::npos; };
  if (says("No module named pip"))
    return make_error(ErrorCode::kNotFound,
                      "{} has no pip; install it with: sudo apt-get install python3-pip", python());
  if (says("No space left"))
    return make_error(ErrorCode::kIo,
                      "no space left for package {}; free some, or set RIVAL_HOME to a roomier disk",
                      source.package);
  if (says("NewConnectionError") || says("ConnectTimeout") || says("Read timed out") ||
      says("Temporary failure in name resolution") || says("ProxyError") || says("SSLError"))
    return make_error(
        ErrorCode::kNetwork,
        "pip cannot reach its package index for {} ({}); check the network, the proxy and `pip config list`",
        source.package, what);
  if (says("No matching distribution"))
    return make_error(ErrorCode::kNotFound,
                      "pip's package index has no {} {} ({}); `pip config list` shows which index is asked",
                      source.package, source.version, what);
  return make_error(ErrorCode::kNetwork, "pip cannot fetch {} {} ({})", source.package, source.version, what);
}

}  // namespace

Result<fs::path> fetch_wheel(const Store& store, const PypiSource& source, const std::string& label,
                             uint64_t bytes, const OnProgress& on_progress) {
  const fs::path folder = wheel_folder(store, source);
  if (const auto wheel = find_wheel(folder)) return *wheel;
  std::error_code code;
  fs::remove_all(folder, code);  // what a killed pip left
  fs::create_directories(folder / "tmp", code);
  if (code) return make_error(ErrorCode::kIo, "cannot create {}: {}", folder.string(), code.message());
  RIVAL_RETURN_IF_ERROR(store.check_space(bytes));
  ProcessEnd end;
  {
    Progress progress(label, bytes);
    ProcessRequest request;
    // A source package would run its setup script; only wheels are taken.
    request.arguments = {python(),
                         "-m",
                         "pip",
                         "download",
                         "--no-deps",
                         "--only-binary=:all:",
                         "--no-input",
                         "--retries",
                         "2",
                         "--disable-pip-version-check",
                         "--progress-bar",
                         "off",
                         "--dest",
                         folder.string(),
                         source.package + "==" + source.version};
    request.folder = folder / "tmp";
    request.environment = {{"TMPDIR", (folder / "tmp").string()}};
    request.on_tick = [&] {
      const uint64_t done = bytes_below(folder);
      progress.update(done);
      return on_progress ? on_progress(label, done, bytes) : Status();
    };
    auto ran = run_process(request);
    if (!ran.ok() && ran.error().code == ErrorCode::kNotFound)
      return make_error(ErrorCode::kNotFound,
                        "{} is not there, and this model comes as a Python package; install it with: "
                        "sudo apt-get install python3 python3-pip",
                        python());
    RIVAL_ASSIGN_OR_RETURN(end, std::move(ran));
    if (const auto wheel = find_wheel(folder)) progress.update(fs::file_size(*wheel, code));
  }
  fs::remove_all(folder / "tmp", code);
  if (end.status != 0) return pip_error(source, end);
  const auto wheel = find_wheel(folder);
  if (!wheel)
    return make_error(ErrorCode::kNotFound, "pip fetched no wheel of {} {}", source.package, source.version);
  return *wheel;
}

void drop_wheel(const Store& store, const PypiSource& source) {
  std::error_code ignored;
  fs::remove_all(wheel_folder(store, source), ignored);
}

Status read_member(const fs::path& wheel, const std::string& member, uint64_t bytes_max,
                   const std::function<Status(std::string_view)>& sink) {
  ProcessRequest request;
  request.arguments = {
      python(), "-I", "-c", kReadMember, wheel.string(), member, fmt::format("{}", bytes_max)};
  request.folder = wheel.parent_path();
  request.on_output = sink;
  RIVAL_ASSIGN_OR_RETURN(const ProcessEnd end, run_process(request));
  const std::string name = wheel.filename().string();
  if (end.status == kExitNoMember)
    return make_error(ErrorCode::kNotFound, "wheel {} holds no file {}", name, member);
  if (end.status == kExitTooLarge)
    return make_error(ErrorCode::kLimit, "file {} in wheel {} has {} bytes; at most {} were expected", member,
                      name, last_words(end.errors), bytes_max);
  if (end.status != 0)
    return make_error(ErrorCode::kCorrupt, "wheel {} is broken ({})", name, last_words(end.errors));
  return {};
}

}  // namespace rival::hub
