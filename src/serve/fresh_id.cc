#include "serve/fresh_id.h"

#include <openssl/rand.h>

#include "base/check.h"

namespace rival::serve {

std::string fresh_id(std::string_view prefix) {
  constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  unsigned char bytes[24];
  RIVAL_CHECK(RAND_bytes(bytes, sizeof bytes) == 1, "the system gives no random numbers");
  std::string out(prefix);
  for (const unsigned char byte : bytes) out += kLetters[byte % 62];
  return out;
}

}  // namespace rival::serve
