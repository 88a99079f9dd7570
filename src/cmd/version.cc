#include "cmd/version.h"

#include <fmt/format.h>

namespace rival::cmd {
namespace {

#ifdef NDEBUG
constexpr const char* kBuild = "release";
#else
constexpr const char* kBuild = "debug";
#endif
#ifdef __clang__
constexpr const char* kCompiler = "Clang";
#else
constexpr const char* kCompiler = "GCC";
#endif

}  // namespace

int print_version() {
  fmt::print("rival {} ({} build, {} {})\n", kVersion, kBuild, kCompiler, __VERSION__);
  return 0;
}

}  // namespace rival::cmd
