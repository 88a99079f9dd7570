#include "kernels/dispatch.h"

#include <cpuid.h>

#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace rival::kernels {

const KernelTable& scalar_table();
const KernelTable& avx2_table();
const KernelTable& avx2vnni_table();
const KernelTable& avx512_table();

namespace {

struct Row {
  const KernelTable& (*table)();
  bool (*supported)();
};

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("bmi2");
}

// GCC 12 has no name for AVX-VNNI: leaf 7, subleaf 1, EAX bit 4.
bool has_avx_vnni() {
  unsigned a, b, c, d;
  return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

// Best first.
constexpr Row kRows[] = {
    {avx512_table, has_avx512},
    {avx2vnni_table, has_avx_vnni},
    {avx2_table, has_avx2},
    {scalar_table, [] { return true; }},
};

}  // namespace

std::span<const KernelTable* const> available_tables() {
  static const std::vector<const KernelTable*> tables = [] {
    std::vector<const KernelTable*> found;
    for (const Row& row : kRows)
      if (row.supported()) found.push_back(&row.table());
    return found;
  }();
  return tables;
}

const KernelTable& best_table() {
  static const KernelTable* chosen = [] {
    const char* wanted = std::getenv("RIVAL_ISA");
    if (wanted) {
      for (const KernelTable* table : available_tables())
        if (std::string_view(wanted) == table->name) return table;
      log(LogLevel::kWarning, "RIVAL_ISA={}: not an instruction set of this CPU; using {}", wanted,
          available_tables()[0]->name);
    }
    return available_tables()[0];
  }();
  return *chosen;
}

}  // namespace rival::kernels
