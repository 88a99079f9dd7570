// Digests of files and streams (OpenSSL): SHA-256 for model files, and SHA-1 where git names a blob by it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rival {

class Digest {
 public:
  enum class Kind { kSha256, kSha1 };
  explicit Digest(Kind kind = Kind::kSha256);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void update(std::string_view bytes);
  // Lower-case hexadecimal; the digest is over with that.
  std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// SHA-256 of a whole file in lower-case hexadecimal. Errors: kNotFound, kIo.
Result<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace rival
