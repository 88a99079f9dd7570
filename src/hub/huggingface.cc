#include "hub/huggingface.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "http/client.h"
#include "http/url.h"
#include "hub/foreign_stores.h"

namespace rival::hub {
namespace {

constexpr int kListPagesMax = 100;
constexpr size_t kShownFilesMax = 12;
constexpr size_t kShardDigits = 5;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string endpoint() {
  std::string text = variable("HF_ENDPOINT");
  while (!text.empty() && text.back() == '/') text.pop_back();
  return text.empty() ? "https://huggingface.co" : text;
}

std::string token() {
  for (const char* name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
    if (!variable(name).empty()) return variable(name);
  const std::string path = variable("HF_TOKEN_PATH");
  auto text = read_file(path.empty() ? hf_home() / "token" : std::filesystem::path(path), 4096);
  if (!text.ok()) return "";
  std::erase_if(*text, [](unsigned char c) { return c <= ' '; });
  return *text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// A path inside an address keeps its slashes; a revision such as "refs/pr/1" does not.
std::string encode_revision(const std::string& revision) {
  std::string result;
  for (const char c : http::encode_path(revision))
    result += c == '/' ? std::string("%2F") : std::string(1, c);
  return result;
}

Error hub_error(const HfSource& source, const http::ResponseHead& head) {
  const std::string code = head.header("x-error-code");
  const std::string page = endpoint() + "/" + source.repository;
  if (code == "RepoNotFound")
    return make_error(
        ErrorCode::kNotFound,
        "the hub has no repository {}, or it is private; a token in HF_TOKEN shows private ones",
        source.repository);
  if (code == "RevisionNotFound")
    return make_error(ErrorCode::kNotFound, "repository {} has no revision '{}'; see {}", source.repository,
                      source.revision, page);
  if (code == "EntryNotFound" || head.status == 404)
    return make_error(ErrorCode::kNotFound, "repository {} has no file '{}' at '{}'; see {}/tree/{}",
                      source.repository, source.file, source.revision, page, source.revision);
  if (head.status == 401 || head.status == 403) {
    const char* given = token().empty() ? "" : ". The token that was given does not open it";
    return make_error(ErrorCode::kDenied,
                      "repository {} is gated or private: open {}, accept its terms, make a token at "
                      "{}/settings/tokens and set HF_TOKEN to it{}",
                      source.repository, page, endpoint(), given);
  }
  return http::status_error(head);
}

std::string without_quotes(std::string text) {
  if (text.starts_with("W/")) text.erase(0, 2);
  std::erase(text, '"');
  return text;
}

bool is_git_sha1(const std::string& text) {
  return text.size() == 40 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

uint64_t number_or_zero(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The address in 'Link: <...>; rel="next"', or nothing.
std::string next_page(const http::ResponseHead& head) {
  const std::string link = head.header("link");
  const size_t begin = link.find('<'), end = link.find('>');
  const bool next = link.find("rel=\"next\"") != std::string::npos;
  return next && begin != std::string::npos && end != std::string::npos && begin < end
             ? link.substr(begin + 1, end - begin - 1)
             : "";
}

Status take_listed_files(const json::value& page, std::vector<ListedFile>& files) {
  const json::array* entries = page.if_array();
  if (!entries) return make_error(ErrorCode::kCorrupt, "the hub's file list is not a list");
  for (const json::value& entry : *entries) {
    const json::object* object = entry.if_object();
    const json::value* type = object ? object->if_contains("type") : nullptr;
    const json::value* path = object ? object->if_contains("path") : nullptr;
    const json::value* size = object ? object->if_contains("size") : nullptr;
    if (!type || !type->is_string() || type->get_string() != "file" || !path || !path->is_string()) continue;
    ListedFile file{.path = std::string(path->get_string())};
    if (!is_safe_relative_path(file.path)) continue;
    if (size && size->is_int64() && size->get_int64() > 0)
      file.bytes = static_cast<uint64_t>(size->get_int64());
    files.push_back(std::move(file));
  }
  return {};
}

// ---- choosing
// -----------------------------------------------------------------------------------------------------

bool is_weights_gguf(const std::string& path) {
  const std::string name = lower(path);
  return name.ends_with(".gguf") && name.find("mmproj") == std::string::npos &&
         name.find("imatrix") == std::string::npos;
}

// Position in the order of preference; small is better.
size_t preference(const std::string& path) {
  static constexpr const char* kOrder[] = {"q4_k_m", "mxfp4", "q4_k_s", "q4_0", "iq4_xs", "q5_k_m",
                                           "q8_0",   "q6_k",  "q5_0",   "f16",  "bf16"};
  const std::string name = lower(path);
  size_t position = 0;
  for (const char* quantisation : kOrder) {
    if (name.find(quantisation) != std::string::npos) return position;
    ++position;
  }
  return position;
}

// What a model in a folder is read from, beside its weights.
bool is_model_text_file(const std::string& path) {
  static constexpr const char* kNames[] = {"config.json",
                                           "generation_config.json",
                                           "tokenizer.json",
                                           "tokenizer_config.json",
                                           "tokenizer.model",
                                           "special_tokens_map.json",
                                           "added_tokens.json",
                                           "vocab.json",
                                           "vocab.txt",
                                           "merges.txt",
                                           "chat_template.jinja",
                                           "chat_template.json",
                                           "model.safetensors.index.json",
                                           "modules.json",
                                           "sentence_bert_config.json",
                                           "1_Pooling/config.json"};
  return std::find(std::begin(kNames), std::end(kNames), path) != std::end(kNames);
}

std::vector<std::string> safetensors_model(const std::vector<ListedFile>& files) {
  const bool single = std::any_of(files.begin(), files.end(),
                                  [](const ListedFile& file) { return file.path == "model.safetensors"; });
  std::vector<std::string> chosen;
  bool weights = false;
  for (const ListedFile& file : files) {
    const bool shard = file.path.starts_with("model-") && file.path.ends_with(".safetensors") &&
                       file.path.find('/') == std::string::npos;
    const bool is_weights = single ? file.path == "model.safetensors" : shard;
    weights |= is_weights;
    if (is_weights || is_model_text_file(file.path)) chosen.push_back(file.path);
  }
  return weights ? chosen : std::vector<std::string>();
}

Error nothing_to_choose(const std::vector<ListedFile>& files, const std::string& wanted) {
  std::string shown;
  size_t count = 0;
  for (const ListedFile& file : files)
    if ((is_weights_gguf(file.path) || file.path.ends_with(".safetensors")) && count++ < kShownFilesMax)
      shown += (shown.empty() ? "" : ", ") + file.path;
  if (shown.empty())
    return make_error(ErrorCode::kNotFound, "the repository holds neither GGUF nor safetensors files");
  return make_error(ErrorCode::kNotFound, "the repository has no '{}'; it has {}{}", wanted, shown,
                    count > kShownFilesMax ? ", and more" : "");
}

}  // namespace

Result<HubFile> ask_hub_file(const HfSource& source) {
  const std::string path = "/" + http::encode_path(source.file);
  HubFile file{.token = token()};
  http::ClientRequest request{
      .method = http::Method::kHead,
      .url = endpoint() + "/" + source.repository + "/resolve/" + encode_revision(source.revision) + path,
      .headers = {{"Accept-Encoding", "identity"}},
      .bearer_token = file.token,
      .redirects = http::Redirects::kSameHost};
  RIVAL_ASSIGN_OR_RETURN(const http::ResponseHead head, http::fetch(request, {}));
  if (head.status >= 400 || head.status < 200) return hub_error(source, head);
  file.commit = head.header("x-repo-commit");
  if (!is_git_sha1(file.commit)) file.commit = source.revision;
  file.url = endpoint() + "/" + source.repository + "/resolve/" + encode_revision(file.commit) + path;
  const std::string linked = without_quotes(head.header("x-linked-etag"));
  const std::string etag = linked.empty() ? without_quotes(head.header("etag")) : linked;
  if (is_sha256(etag)) file.sha256 = lower(etag);
  if (is_git_sha1(etag)) file.git_sha1 = lower(etag);
  if (file.sha256.empty() && file.git_sha1.empty())
    return make_error(ErrorCode::kNetwork, "{} announces no hash of {}; it is not fetched unverified",
                      endpoint(), source.file);
  const std::string size = head.header("x-linked-size");
  const bool redirected = head.status >= 300;
  file.bytes = number_or_zero(size.empty() && !redirected ? head.header("content-length") : size);
  return file;
}

Result<std::vector<ListedFile>> list_hub_files(const HfSource& source) {
  std::vector<ListedFile> files;
  std::string url = fmt::format("{}/api/models/{}/tree/{}?recursive=true", endpoint(), source.repository,
                                encode_revision(source.revision));
  RIVAL_ASSIGN_OR_RETURN(const http::Url first, http::parse_url(url));
  for (int page = 0; page < kListPagesMax && !url.empty(); ++page) {
    RIVAL_ASSIGN_OR_RETURN(const http::Url address, http::parse_url(url));
    // A list that goes on at another host is not given the token.
    const std::string bearer = address.authority == first.authority ? token() : "";
    std::string body;
    http::ClientRequest request{
        .url = url, .bearer_token = bearer, .body_bytes_max = limits::kHubAnswerBytesMax};
    http::BodySink sink{.on_piece = [&](std::string_view piece) {
      body += piece;
      return Status();
    }};
    RIVAL_ASSIGN_OR_RETURN(const http::ResponseHead head, http::fetch(request, sink));
    if (head.status < 200 || head.status >= 300) return hub_error(source, head);
    RIVAL_ASSIGN_OR_RETURN(const json::value value, parse_json(body));
    RIVAL_RETURN_IF_ERROR(take_listed_files(value, files));
    url = next_page(head);
  }
  return files;
}

std::vector<std::string> split_parts(const std::string& path) {
  // "...-00001-of-00003.gguf"
  constexpr size_t kTail = 1 + kShardDigits + 4 + kShardDigits + 5;
  if (path.size() <= kTail || !path.ends_with(".gguf")) return {path};
  const std::string tail = path.substr(path.size() - kTail);
  const std::string count_text = tail.substr(5 + kShardDigits, kShardDigits);
  const auto digits = [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
  };
  const bool split = tail[0] == '-' && digits(tail.substr(1, kShardDigits)) &&
                     tail.substr(1 + kShardDigits, 4) == "-of-" && digits(count_text);
  const uint64_t count = split ? number_or_zero(count_text) : 0;
  if (count == 0 || count > limits::kShardCountMax) return {path};
  std::vector<std::string> parts;
  for (uint64_t i = 1; i <= count; ++i)
    parts.push_back(fmt::format("{}-{:05}-of-{}.gguf", path.substr(0, path.size() - kTail), i, count_text));
  return parts;
}

Result<std::vector<std::string>> choose_files(const std::vector<ListedFile>& files,
                                              const std::string& wanted) {
  if (!wanted.empty()) {
    for (const ListedFile& file : files)
      if (lower(file.path) == lower(wanted)) return split_parts(file.path);
    return nothing_to_choose(files, wanted);
  }
  const ListedFile* best = nullptr;
  for (const ListedFile& file : files) {
    const bool first_part = split_parts(file.path).front() == file.path;
    if (!is_weights_gguf(file.path) || !first_part) continue;
    if (!best || preference(file.path) < preference(best->path)) best = &file;
  }
  if (best) return split_parts(best->path);
  std::vector<std::string> folder = safetensors_model(files);
  if (folder.empty()) return nothing_to_choose(files, "model.safetensors");
  return folder;
}

}  // namespace rival::hub
