// The models that Rival knows by name. Rows come from catalogue.json beside this file, which is built into
// the program; a file catalogue.json in RIVAL_HOME adds rows and replaces those of the same name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "hub/source.h"

namespace rival::hub {

struct Licence {
  std::string id;  // "Apache-2.0"
  std::string url;
  bool accept = false;  // must be accepted by the user before the first use
};

// One file of a model: its parts joined in order.
struct FileRow {
  std::string name;  // a relative path inside the model's folder
  std::vector<Source> from;
  uint64_t bytes = 0;  // 0: not known until the hub says
  std::vector<uint64_t>
      download_bytes;  // of each part over the network, where that differs (wheels are compressed)
  std::string sha256;  // only where we fetched the file ourselves; empty: the hub's own announcement holds
};

enum class Kind { kInstruct, kBase, kEmbedding };

struct Row {
  std::string name;  // family:size[-quant]
  std::vector<std::string> aliases;
  Kind kind = Kind::kInstruct;
  std::string parameters;    // "135M"
  std::string quantisation;  // "Q4_1"
  Licence licence;
  std::string origin;        // who made the model
  uint32_t context = 0;      // tokens
  uint64_t about_bytes = 0;  // the size on disk where the files' bytes are not known
  double active_share = 1;   // of the weights read for a token; below 1 for mixtures of experts
  std::string ollama;        // the same model in an Ollama store; empty: none that is the same kind of file
  std::string note;
  std::vector<FileRow> files;

  uint64_t total_bytes() const;     // on disk, exact or about
  uint64_t download_bytes() const;  // over the network
  uint64_t memory_bytes() const;    // weights and a conversation of a few thousand tokens
};

const char* to_text(Kind kind);

class Catalogue {
 public:
  // The built-in rows, and those of `override_file` when it exists. Errors: kCorrupt names the row and the
  // field.
  static Result<Catalogue> load(const std::filesystem::path& override_file);
  static Result<Catalogue> parse(std::string_view text);

  const std::vector<Row>& rows() const { return rows_; }

  // By name, alias, or name with its quantisation ("smollm2:135m-q4_1"); upper and lower case are the same.
  const Row* find(std::string_view name) const;

  // At most three names that a mistyped one may have meant, the nearest first.
  std::vector<std::string> similar(std::string_view name) const;

  // The most capable instruct row bigger than `current` that fits `memory_bytes` and that `cores` can run at
  // a reading pace; nullptr when there is none.
  const Row* bigger_that_fits(const Row* current, uint64_t memory_bytes, int cores) const;

 private:
  void merge(Catalogue other);
  std::vector<Row> rows_;
};

json::object to_json(const Row& row);

}  // namespace rival::hub
