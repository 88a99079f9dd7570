#include "hub/catalogue.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <tuple>

#include "base/file.h"
#include "base/limits.h"

namespace rival::hub {

extern const char kCatalogueJson[];  // generated from catalogue.json

namespace {

constexpr uint64_t kRuntimeBytes = 300'000'000;  // program, scratch, and KV of a few thousand tokens
constexpr double kMemoryShare = 0.8;             // the rest is for everything else on the machine
constexpr double kBytesPerSecondAndCore = 6e9;   // a modest core reading weights
constexpr double kTokensPerSecondMin = 3;        // about the pace of reading

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return result;
}

// ---- reading rows
// -----------------------------------------------------------------------------------------------

// Reads fields of one JSON object and remembers the first thing that is wrong with them.
class Fields {
 public:
  Fields(const json::value& value, std::string where) : where_(std::move(where)), object_(value.if_object()) {
    if (!object_) fail("is not an object");
  }

  std::string string(const char* key, bool required = false) {
    const json::value* value = find(key, required);
    if (!value) return "";
    if (!value->is_string()) return fail(fmt::format("field '{}' is not a string", key)), "";
    return std::string(value->get_string());
  }
  uint64_t number(const char* key, uint64_t max) {
    const json::value* value = find(key, false);
    if (!value) return 0;
    if (!value->is_int64() || value->get_int64() < 0 || static_cast<uint64_t>(value->get_int64()) > max)
      return fail(fmt::format("field '{}' is not a whole number of at most {}", key, max)), 0;
    return static_cast<uint64_t>(value->get_int64());
  }
  double share(const char* key) {
    const json::value* value = find(key, false);
    if (!value) return 1;
    if (!value->is_double() || value->get_double() <= 0 || value->get_double() > 1)
      return fail(fmt::format("field '{}' is not a number in (0, 1]", key)), 1;
    return value->get_double();
  }
  bool boolean(const char* key) {
    const json::value* value = find(key, false);
    if (value && !value->is_bool()) fail(fmt::format("field '{}' is not true or false", key));
    return value && value->is_bool() && value->get_bool();
  }
  const json::array& array(const char* key, bool required) {
    static const json::array kEmpty;
    const json::value* value = find(key, required);
    if (!value) return kEmpty;
    if (!value->is_array()) return fail(fmt::format("field '{}' is not a list", key)), kEmpty;
    return value->get_array();
  }
  const json::value* find(const char* key, bool required) {
    const json::value* value = object_ ? object_->if_contains(key) : nullptr;
    if (!value && required) fail(fmt::format("field '{}' is missing", key));
    return value;
  }
  void fail(const std::string& what) {
    if (status_.ok()) status_ = make_error(ErrorCode::kCorrupt, "catalogue: {} {}", where_, what);
  }
  const Status& status() const { return status_; }

 private:
  std::string where_;
  const json::object* object_;
  Status status_;
};

Result<Licence> parse_licence(const json::value& value, const std::string& where) {
  Fields fields(value, where + " licence");
  Licence licence{
      .id = fields.string("id", true), .url = fields.string("url"), .accept = fields.boolean("accept")};
  RIVAL_RETURN_IF_ERROR(fields.status());
  return licence;
}

Result<FileRow> parse_file(const json::value& value, const std::string& where) {
  Fields fields(value, where + " file");
  FileRow file{.name = fields.string("name"),
               .bytes = fields.number("bytes", limits::kModelFileBytesMax),
               .sha256 = lower(fields.string("sha256"))};
  for (const json::value& part : fields.array("download_bytes", false)) {
    const bool whole = part.is_int64() && part.get_int64() > 0;
    if (!whole) fields.fail("field 'download_bytes' holds something else than whole numbers");
    file.download_bytes.push_back(whole ? static_cast<uint64_t>(part.get_int64()) : 0);
  }
  for (const json::value& part : fields.array("from", true)) {
    if (!part.is_string())
      return make_error(ErrorCode::kCorrupt, "catalogue: {} field 'from' holds something else than strings",
                        where);
    auto source = parse_source(part.get_string());
    if (!source.ok()) return with_context(source.error(), "catalogue: " + where);
    file.from.push_back(std::move(*source));
  }
  RIVAL_RETURN_IF_ERROR(fields.status());
  if (file.from.empty()) fields.fail("comes from nowhere");
  const bool all_wheels = std::all_of(file.from.begin(), file.from.end(), [](const Source& part) {
    return std::holds_alternative<PypiSource>(part);
  });
  if (file.from.size() > 1 && !all_wheels) fields.fail("joins parts that are not all members of wheels");
  if (!file.sha256.empty() && !is_sha256(file.sha256))
    fields.fail("field 'sha256' does not have 64 hexadecimal digits");
  if (file.name.empty() && !file.from.empty()) file.name = file_name(file.from.front());
  if (!is_safe_relative_path(file.name)) fields.fail("field 'name' is not a plain relative path");
  RIVAL_RETURN_IF_ERROR(fields.status());
  return file;
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (const Kind kind : {Kind::kInstruct, Kind::kBase, Kind::kEmbedding})
    if (text == to_text(kind)) return kind;
  return std::nullopt;
}

Result<Row> parse_row(const json::value& value, const std::string& where) {
  Fields fields(value, where);
  Row row{.name = fields.string("name", true),
          .parameters = fields.string("parameters"),
          .quantisation = fields.string("quantisation"),
          .origin = fields.string("origin"),
          .context = static_cast<uint32_t>(fields.number("context", limits::kContextMax)),
          .about_bytes = fields.number("about_bytes", limits::kModelFileBytesMax),
          .active_share = fields.share("active_share"),
          .ollama = fields.string("ollama"),
          .note = fields.string("note")};
  const auto kind = parse_kind(fields.string("kind", true));
  if (!kind) fields.fail("field 'kind' is none of instruct, base, embedding");
  for (const json::value& alias : fields.array("aliases", false)) {
    if (alias.is_string()) row.aliases.emplace_back(alias.get_string());
  }
  const json::value* licence = fields.find("licence", true);
  const json::array& files = fields.array("files", true);
  if (files.empty() || files.size() > limits::kModelFilesMax) fields.fail("has no files, or too many");
  if (row.name.empty() || row.name.size() > limits::kModelNameBytesMax ||
      row.name.find('/') != std::string::npos)
    fields.fail("field 'name' is empty, too long or holds a slash");
  RIVAL_RETURN_IF_ERROR(fields.status());
  row.kind = *kind;
  RIVAL_ASSIGN_OR_RETURN(row.licence, parse_licence(*licence, where));
  for (const json::value& file : files) {
    RIVAL_ASSIGN_OR_RETURN(FileRow file_row, parse_file(file, where));
    row.files.push_back(std::move(file_row));
  }
  return row;
}

// Levenshtein's distance, one row of the table at a time.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

uint64_t Row::total_bytes() const {
  uint64_t total = 0;
  for (const FileRow& file : files) total += file.bytes;
  return std::max(total, about_bytes);
}

uint64_t Row::download_bytes() const {
  uint64_t total = 0;
  for (const FileRow& file : files) {
    const bool known = !file.download_bytes.empty();
    total += known ? std::accumulate(file.download_bytes.begin(), file.download_bytes.end(), uint64_t{0})
                   : file.bytes;
  }
  return total ? total : about_bytes;
}

uint64_t Row::memory_bytes() const { return total_bytes() + total_bytes() / 10 + kRuntimeBytes; }

const char* to_text(Kind kind) {
  switch (kind) {
    case Kind::kInstruct:
      return "instruct";
    case Kind::kBase:
      return "base";
    case Kind::kEmbedding:
      return "embedding";
  }
  return "";
}

Result<Catalogue> Catalogue::parse(std::string_view text) {
  RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(text));
  Fields fields(value, "file");
  const json::array& rows = fields.array("models", true);
  RIVAL_RETURN_IF_ERROR(fields.status());
  Catalogue catalogue;
  for (size_t i = 0; i < rows.size(); ++i) {
    RIVAL_ASSIGN_OR_RETURN(Row row, parse_row(rows[i], fmt::format("model {}", i + 1)));
    catalogue.rows_.push_back(std::move(row));
  }
  return catalogue;
}

Result<Catalogue> Catalogue::load(const std::filesystem::path& override_file) {
  RIVAL_ASSIGN_OR_RETURN(Catalogue catalogue, parse(kCatalogueJson));
  auto text = read_file(override_file, limits::kManifestBytesMax);
  if (!text.ok())
    return text.error().code == ErrorCode::kNotFound ? Result<Catalogue>(catalogue) : text.error();
  auto own = parse(*text);
  if (!own.ok()) return with_context(own.error(), override_file.string());
  catalogue.merge(std::move(*own));
  return catalogue;
}

void Catalogue::merge(Catalogue other) {
  for (Row& row : other.rows_) {
    const auto same =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& old) { return old.name == row.name; });
    if (same != rows_.end()) rows_.erase(same);
  }
  rows_.insert(rows_.begin(), std::make_move_iterator(other.rows_.begin()),
               std::make_move_iterator(other.rows_.end()));
}

const Row* Catalogue::find(std::string_view name) const {
  const std::string wanted = lower(name);
  for (const Row& row : rows_) {
    const std::string row_name = lower(row.name);
    if (wanted == row_name || wanted == row_name + "-" + lower(row.quantisation)) return &row;
    for (const std::string& alias : row.aliases)
      if (wanted == lower(alias)) return &row;
  }
  return nullptr;
}

std::vector<std::string> Catalogue::similar(std::string_view name) const {
  const std::string wanted = lower(name);
  const std::string family = wanted.substr(0, wanted.find(':'));
  std::vector<std::tuple<size_t, size_t, std::string>> near;  // nearest first; then by the whole name
  for (const Row& row : rows_) {
    const std::string row_family = row.name.substr(0, row.name.find(':'));
    const size_t whole = edit_distance(wanted, row.name);
    const size_t distance = std::min(whole, edit_distance(family, row_family));
    if (distance <= std::max<size_t>(1, wanted.size() / 4)) near.emplace_back(distance, whole, row.name);
  }
  std::sort(near.begin(), near.end());
  std::vector<std::string> names;
  for (const auto& [distance, whole, row_name] : near)
    if (names.size() < 3) names.push_back(row_name);
  return names;
}

const Row* Catalogue::bigger_that_fits(const Row* current, uint64_t memory_bytes, int cores) const {
  const Row* best = nullptr;
  for (const Row& row : rows_) {
    const double active_bytes = static_cast<double>(row.total_bytes()) * row.active_share;
    const bool fits =
        static_cast<double>(row.memory_bytes()) <= kMemoryShare * static_cast<double>(memory_bytes);
    const bool quick = active_bytes * kTokensPerSecondMin <= kBytesPerSecondAndCore * cores;
    const bool bigger = !current || row.total_bytes() > current->total_bytes();
    if (row.kind != Kind::kInstruct || row.licence.accept || !fits || !quick || !bigger) continue;
    if (!best || row.total_bytes() > best->total_bytes()) best = &row;
  }
  return best;
}

json::object to_json(const Row& row) {
  json::array aliases, files;
  for (const std::string& alias : row.aliases) aliases.emplace_back(alias);
  for (const FileRow& file : row.files) {
    json::array from;
    for (const Source& source : file.from) from.emplace_back(to_text(source));
    files.push_back(json::object{
        {"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"from", std::move(from)}});
  }
  return {{"name", row.name},
          {"aliases", std::move(aliases)},
          {"kind", to_text(row.kind)},
          {"parameters", row.parameters},
          {"quantisation", row.quantisation},
          {"licence",
           json::object{{"id", row.licence.id}, {"url", row.licence.url}, {"accept", row.licence.accept}}},
          {"origin", row.origin},
          {"context", row.context},
          {"bytes", row.total_bytes()},
          {"download_bytes", row.download_bytes()},
          {"memory_bytes", row.memory_bytes()},
          {"note", row.note},
          {"files", std::move(files)}};
}

}  // namespace rival::hub
