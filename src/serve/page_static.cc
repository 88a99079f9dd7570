#include "serve/page_static.h"

#include <algorithm>

#include "serve/page.h"

namespace rival::serve {
namespace {

constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::string_view kAssets = "/assets/";
constexpr std::string_view kChat = "/chat/";

std::string_view content_type(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"}, {".png", "image/png"}, {".ico", "image/x-icon"}, {".woff2", "font/woff2"},
      {".json", "application/json"}, {".webmanifest", "application/manifest+json"}, {".txt", "text/plain; charset=utf-8"}};
  for (const auto& [end, type] : kTypes)
    if (name.ends_with(end)) return type;
  return "application/octet-stream";
}

const PageFile* find_file(std::string_view name) {
  const auto files = page_files();
  const auto place = std::find_if(files.begin(), files.end(), [&](const PageFile& file) { return file.name == name; });
  return place == files.end() ? nullptr : &*place;
}

// "gzip" as one of the codings of the header, not refused by q=0.
bool takes_gzip(std::string_view accepted) {
  const size_t at = accepted.find("gzip");
  return at != std::string_view::npos && !accepted.substr(at).starts_with("gzip;q=0,") && accepted.substr(at) != "gzip;q=0";
}

}  // namespace

bool respond_page_file(const std::shared_ptr<http::Exchange>& exchange) {
  const http::ServerRequest& request = exchange->request();
  const std::string_view path = request.path;
  const bool asset = path.starts_with(kAssets);
  if (path != "/" && path != "/index.html" && !path.starts_with(kChat) && !asset) return false;
  const PageFile* file = find_file(asset ? path.substr(kAssets.size()) : "index.html");
  if (!file) return false;
  const std::string tag = fmt::format("\"{}\"", file->tag);
  http::HeaderList headers = {{"ETag", tag},
                              {"Cache-Control", asset ? "public, max-age=31536000, immutable" : "no-cache"},
                              {"Vary", "Accept-Encoding"},
                              {"Content-Security-Policy", kPolicy},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"},
                              {"Cross-Origin-Opener-Policy", "same-origin"},
                              {"Cross-Origin-Resource-Policy", "same-origin"},
                              {"X-Frame-Options", "DENY"}};
  if (request.header("if-none-match").find(tag) != std::string_view::npos) {
    exchange->respond(304, content_type(file->name), "", std::move(headers));
    return true;
  }
  const bool packed = !file->gzip.empty() && takes_gzip(request.header("accept-encoding"));
  if (packed) headers.emplace_back("Content-Encoding", "gzip");
  exchange->respond(200, content_type(file->name), std::string(packed ? file->gzip : file->plain), std::move(headers));
  return true;
}

}  // namespace rival::serve
