#include "cmd/text_tokens.h"

#include "base/file.h"
#include "base/limits.h"

namespace rival::cmd {

Result<std::vector<text::TokenId>> text_tokens(const std::string& file, const text::Tokenizer& tokenizer) {
  RIVAL_ASSIGN_OR_RETURN(std::string bytes, read_file(file, limits::kPromptBytesMax));
  if (bytes.ends_with('\n')) bytes.pop_back();
  RIVAL_ASSIGN_OR_RETURN(auto ids, tokenizer.encode(bytes, {.add_special = false, .parse_special = false}));
  const text::Vocabulary& vocabulary = tokenizer.vocabulary();
  if (vocabulary.add_bos && vocabulary.bos) ids.insert(ids.begin(), *vocabulary.bos);
  return ids;
}

}  // namespace rival::cmd
