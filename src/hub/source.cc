#include "hub/source.h"

#include <algorithm>
#include <cctype>

#include "base/limits.h"
#include "http/url.h"

namespace rival::hub {
namespace {

constexpr std::string_view kHubHost = "huggingface.co";

// Letters, digits and "._-" (and `more`), not beginning with "-": such a word is never an option of a
// program.
bool is_word(std::string_view text, std::string_view more = "") {
  if (text.empty() || text.size() > limits::kModelNameBytesMax || text.front() == '-' || text == "." ||
      text == "..")
    return false;
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-' ||
           more.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

Error expected(std::string_view text, std::string_view form) {
  return make_error(ErrorCode::kInvalidArgument, "'{}' does not have the form {}", text, form);
}

Result<Source> parse_pypi(std::string_view text) {
  constexpr std::string_view kForm = "pypi:PACKAGE==VERSION/MEMBER";
  const std::string_view rest = text.substr(5);
  const size_t equals = rest.find("==");
  const size_t slash = rest.find('/');
  if (equals == std::string_view::npos || slash == std::string_view::npos || equals > slash)
    return expected(text, kForm);
  PypiSource source{.package = std::string(rest.substr(0, equals)),
                    .version = std::string(rest.substr(equals + 2, slash - equals - 2)),
                    .member = std::string(rest.substr(slash + 1))};
  if (!is_word(source.package) || !is_word(source.version, "+!") || !is_safe_relative_path(source.member))
    return expected(text, kForm);
  return Source(source);
}

// The first "/"-separated component of `text`, taken off it.
std::string_view take_component(std::string_view& text) {
  const size_t slash = std::min(text.find('/'), text.size());
  const std::string_view component = text.substr(0, slash);
  text.remove_prefix(std::min(slash + 1, text.size()));
  return component;
}

Result<Source> checked_hf(HfSource source, std::string_view owner, std::string_view name,
                          std::string_view text) {
  source.repository = std::string(owner) + "/" + std::string(name);
  const bool revision_ok = is_word(source.revision, "/%") && is_safe_relative_path(source.revision);
  if (!is_word(owner) || !is_word(name) || !revision_ok ||
      (!source.file.empty() && !is_safe_relative_path(source.file)))
    return expected(text, "hf:OWNER/NAME[@REVISION][/FILE]");
  return Source(source);
}

Result<Source> parse_hf(std::string_view text) {
  std::string_view rest = text.substr(3);
  const std::string_view owner = take_component(rest);
  std::string_view name = take_component(rest);
  HfSource source;
  const size_t at = name.find('@');
  if (at != std::string_view::npos) {
    source.revision = std::string(name.substr(at + 1));
    name = name.substr(0, at);
  }
  source.file = std::string(rest);
  return checked_hf(source, owner, name, text);
}

// "/owner/name[/resolve|blob|tree/revision/file]"
Result<Source> parse_hub_path(std::string_view path, std::string_view text) {
  std::string_view rest = path.substr(1);
  const std::string_view owner = take_component(rest);
  const std::string_view name = take_component(rest);
  const std::string_view view = take_component(rest);
  HfSource source;
  if (view == "resolve" || view == "blob" || view == "tree") {
    source.revision = std::string(take_component(rest));
    source.file = std::string(rest);
  } else if (!view.empty()) {
    return expected(text, "https://huggingface.co/OWNER/NAME[/resolve/REVISION/FILE]");
  }
  return checked_hf(source, owner, name, text);
}

Result<Source> parse_address(std::string_view text) {
  UrlSource source;
  const size_t fragment = text.find('#');
  RIVAL_ASSIGN_OR_RETURN(const http::Url url, http::parse_url(text));
  if (url.authority == kHubHost) return parse_hub_path(url.path, text);
  source.url = url.text();
  if (fragment != std::string_view::npos) {
    const std::string_view hash = text.substr(fragment + 1);
    if (!hash.starts_with("sha256=") || !is_sha256(hash.substr(7)))
      return expected(text, "https://HOST/PATH[#sha256=HEX]");
    source.sha256 = std::string(hash.substr(7));
    std::transform(source.sha256.begin(), source.sha256.end(), source.sha256.begin(),
                   [](unsigned char c) { return std::tolower(c); });
  }
  if (file_name(Source(source)).empty()) return expected(text, "https://HOST/PATH/FILE");
  return Source(source);
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

bool is_source(std::string_view text) {
  return text.starts_with("hf:") || text.starts_with("pypi:") || text.starts_with("https://") ||
         text.starts_with("http://");
}

Result<Source> parse_source(std::string_view text) {
  if (text.starts_with("pypi:")) return parse_pypi(text);
  if (text.starts_with("hf:")) return parse_hf(text);
  return parse_address(text);
}

std::string to_text(const Source& source) {
  if (const auto* pypi = std::get_if<PypiSource>(&source))
    return fmt::format("pypi:{}=={}/{}", pypi->package, pypi->version, pypi->member);
  if (const auto* hf = std::get_if<HfSource>(&source)) {
    const std::string at = hf->revision == "main" ? "" : "@" + hf->revision;
    return fmt::format("hf:{}{}{}{}", hf->repository, at, hf->file.empty() ? "" : "/", hf->file);
  }
  return std::get<UrlSource>(source).url;
}

std::string file_name(const Source& source) {
  if (const auto* pypi = std::get_if<PypiSource>(&source)) return std::string(last_component(pypi->member));
  if (const auto* hf = std::get_if<HfSource>(&source)) return std::string(last_component(hf->file));
  std::string_view url = std::get<UrlSource>(source).url;
  url = url.substr(0, url.find('?'));
  const std::string_view name = last_component(url.substr(url.find("://") + 3));
  return is_word(name) && url.find('/', url.find("://") + 3) != std::string_view::npos ? std::string(name)
                                                                                       : "";
}

bool is_safe_relative_path(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.back() == '/') return false;
  const auto unsafe = [](unsigned char c) { return c < ' ' || c == 0x7f || c == '\\'; };
  if (std::any_of(path.begin(), path.end(), unsafe)) return false;
  while (!path.empty()) {
    const std::string_view component = take_component(path);
    if (component.empty() || component == "." || component == ".." || component.size() > 255) return false;
  }
  return true;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

}  // namespace rival::hub
