#include "cmd/write_model.h"

#include <fmt/format.h>

#include <optional>

#include "base/progress.h"
#include "base/units.h"
#include "cmd/models.h"
#include "model/hf_folder.h"

namespace rival::cmd {

std::string type_list() {
  std::string list;
  for (const model::Mixture& mixture : model::mixtures())
    list += fmt::format("{}{}", list.empty() ? "" : " ", mixture.name);
  return list;
}

Result<model::Mixture> find_type(const std::string& name) {
  if (const auto mixture = model::find_mixture(name)) return *mixture;
  return make_error(ErrorCode::kInvalidArgument, "'{}' is not a type; choose one of: {}", name, type_list());
}

Result<model::WriteReport> write_model(const std::string& in, const std::string& out, uint32_t threads,
                                       model::WriteOptions options) {
  RIVAL_ASSIGN_OR_RETURN(const auto hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const auto found, hub.resolve(in, terminal_options(/*accept_licence=*/false)));
  RIVAL_ASSIGN_OR_RETURN(const model::ModelContents contents, model::read_contents(found.path));
  std::optional<Progress> bar;
  options.on_progress = [&](uint64_t done, uint64_t total) {
    if (!bar) bar.emplace("write", total);
    bar->update(done);
  };
  ThreadTeam team(threads);
  return model::write_contents(contents, out, team, options);
}

Result<model::WriteReport> write_folder(const std::string& in, const std::string& out, uint32_t threads,
                                        std::optional<DType> type) {
  RIVAL_ASSIGN_OR_RETURN(const auto hub, hub::Hub::open());
  RIVAL_ASSIGN_OR_RETURN(const auto found, hub.resolve(in, terminal_options(/*accept_licence=*/false)));
  if (std::filesystem::is_directory(found.path))
    return make_error(ErrorCode::kInvalidArgument,
                      "{} is a folder already; to write a GGUF file, give it a name that ends in .gguf", in);
  std::optional<Progress> bar;
  model::HfFolderOptions options{.type = type, .on_progress = {}};
  options.on_progress = [&](uint64_t done, uint64_t total) {
    if (!bar) bar.emplace("write", total);
    bar->update(done);
  };
  ThreadTeam team(threads);
  return model::write_hf_folder(found.path, out, team, options);
}

std::string summary(const model::WriteReport& report) {
  std::string types;
  for (const auto& [type, count] : report.tensors)
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", count, dtype_info(type).name);
  const double bits = 8.0 * static_cast<double>(report.bytes_after) / static_cast<double>(report.weights);
  return fmt::format("{} (was {}), {:.2f} bits a weight; tensors: {}", format_bytes(report.bytes_after),
                     format_bytes(report.bytes_before), bits, types);
}

}  // namespace rival::cmd
