#include "text/pre_tokenizer_names.h"

#include <array>

namespace rival::text {
namespace {

// Words that are no patterns but steps of their own.
constexpr std::string_view kDigitCuts = "(digit cuts)";
constexpr std::string_view kDigitWords = "(digit words)";
constexpr std::string_view kDigitRuns = "(digit runs)";

constexpr std::string_view kGpt2 = kGpt2Pattern;
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepseek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSpark =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kKana = R"([一-龥぀-ゟ゠-ヿ]+)";
constexpr std::string_view kHanHangul = R"([一-龥ࠀ-一가-퟿]+)";
constexpr std::string_view kDigit = R"(\p{N})";
constexpr std::string_view kDigits = R"(\p{N}+)";
constexpr std::string_view kThreeDigits = R"(\p{N}{1,3})";
constexpr std::string_view kNewlineRuns = R"([^\n]+|[\n]+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
// Cased letters as DeepSeek's first models list them, range by range.
constexpr std::string_view kDeepseekLetters =
    "\\s?[A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}"
    "\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-"
    "\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-"
    "\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-"
    "\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-"
    "\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}"
    "\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-"
    "\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-"
    "\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}"
    "\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}"
    "\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}"
    "\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-"
    "\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-"
    "\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}"
    "\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}]+";

constexpr std::array kGpt2Only{kGpt2};
constexpr std::array kDigitGpt2{kDigit, kGpt2};
constexpr std::array kLlama3Only{kLlama3};
constexpr std::array kQwen2Only{kQwen2};
constexpr std::array kQwen35Only{kQwen35};
constexpr std::array kO200kOnly{kO200k};
constexpr std::array kTekkenOnly{kTekken};
constexpr std::array kDeepseek3Steps{kThreeDigits, kKana, kDeepseek3};
constexpr std::array kNewlinesOnly{kNewlineRuns};
constexpr std::array kBloomOnly{kBloom};
constexpr std::array kViking{kBloom, kDigit};
// Text after ASCII punctuation is taken apart, then runs of digits, at last threes of them.
constexpr std::array<std::string_view, 4> kDefault{R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, kDigits,
                                                   "[0-9][0-9][0-9]"};
constexpr std::array<std::string_view, 3> kFalcon{R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2, "[0-9][0-9][0-9]"};
// (?<!\s) makes the search for trailing space linear; it changes no match.
constexpr std::array<std::string_view, 6> kDeepseekLlm{
    R"([\r\n])",      kDeepseekLetters, R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)",
    R"((?<!\s)\s+$)", kHanHangul,       kDigits};
constexpr std::array<std::string_view, 5> kDeepseekCoder{R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)",
                                                         kHanHangul, kDigit};
constexpr std::array kSparkSteps{kThreeDigits, kKana, kSpark, kDigit};
constexpr std::array<std::string_view, 2> kYoutu{
    R"([가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+)",
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 6> kChameleon{
    "<sentinel:[0-9]+>",       "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
    R"(([\t\n]|    |  ))",     kDigit,
    R"([\p{P}!-/:-@\[-`{-~])", kGpt2};
constexpr std::array<std::string_view, 1> kJais2{
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"};
constexpr std::array<std::string_view, 2> kTinyAya{kDigitWords, kO200k};
constexpr std::array<std::string_view, 1> kKimiK2{
    R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 2> kSuperbpe{kDigits, kDigitCuts};
constexpr std::array<std::string_view, 1> kBailing{
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 1> kSeedCoder{
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 1> kUfakzeka{
    R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 3> kAfmoe{
    kDigitRuns,
    R"([一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+)",
    kDeepseek3};
constexpr std::array kLaguna{kNewlineRuns, kQwen2};
constexpr std::array<std::string_view, 1> kExaoneMoe{
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"};
constexpr std::array<std::string_view, 2> kMinicpm5{
    kThreeDigits,
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

constexpr PreTokenizerRow kRows[] = {
    {.name = "", .splits = kDefault},
    {.name = "default", .splits = kDefault},
    // GPT-2's pattern alone
    {.name = "gpt-2", .splits = kGpt2Only},
    {.name = "gpt2", .splits = kGpt2Only},
    {.name = "phi-2", .splits = kGpt2Only},
    {.name = "jina-es", .splits = kGpt2Only},
    {.name = "jina-de", .splits = kGpt2Only},
    {.name = "jina-v1-en", .splits = kGpt2Only},
    {.name = "jina-v2-es", .splits = kGpt2Only},
    {.name = "jina-v2-de", .splits = kGpt2Only},
    {.name = "jina-v2-code", .splits = kGpt2Only},
    {.name = "roberta-bpe", .splits = kGpt2Only},
    {.name = "gigachat", .splits = kGpt2Only},
    {.name = "a.x-4.0", .splits = kGpt2Only},
    {.name = "mellum", .splits = kGpt2Only},
    {.name = "modern-bert", .splits = kGpt2Only, .nfc = true},
    {.name = "exaone4", .splits = kGpt2Only},
    {.name = "mpt", .splits = kGpt2Only, .nfc = true},
    {.name = "olmo", .splits = kGpt2Only, .nfc = true},
    {.name = "jais", .splits = kGpt2Only},
    {.name = "trillion", .splits = kGpt2Only},
    {.name = "granite-docling", .splits = kGpt2Only},
    // digits one by one, then GPT-2's pattern
    {.name = "starcoder", .splits = kDigitGpt2},
    {.name = "refact", .splits = kDigitGpt2},
    {.name = "command-r", .splits = kDigitGpt2, .nfc = true},
    {.name = "smollm", .splits = kDigitGpt2},
    {.name = "codeshell", .splits = kDigitGpt2},
    {.name = "exaone", .splits = kDigitGpt2},
    {.name = "minerva-7b", .splits = kDigitGpt2},
    {.name = "minerva", .splits = kDigitGpt2},
    {.name = "mellum2", .splits = kDigitGpt2},
    // Llama 3 and its kin: digits by threes
    {.name = "llama3", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "llama-v3", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "llama-bpe", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "falcon3", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "falcon-h1", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "pixtral", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "midm-2.0", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "lfm2", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "jina-v5-nano", .splits = kLlama3Only, .ignore_merges = true, .add_bos = true},
    {.name = "dbrx", .splits = kLlama3Only},
    {.name = "smaug-bpe", .splits = kLlama3Only},
    {.name = "chatglm-bpe", .splits = kLlama3Only},
    {.name = "glm4", .splits = kLlama3Only, .ignore_merges = true},
    {.name = "glm5", .splits = kLlama3Only, .ignore_merges = true},
    {.name = "jais-2", .splits = kJais2},
    {.name = "minicpm5", .splits = kMinicpm5, .ignore_merges = true},
    // Qwen 2 and its kin: digits one by one
    {.name = "qwen2", .splits = kQwen2Only, .nfc = true},
    {.name = "deepseek-r1-qwen", .splits = kQwen2Only, .nfc = true},
    {.name = "kormo", .splits = kQwen2Only, .nfc = true},
    {.name = "f2llmv2", .splits = kQwen2Only, .nfc = true},
    {.name = "megrez", .splits = kQwen2Only, .nfc = true},
    {.name = "stablelm2", .splits = kQwen2Only, .nfc = true},
    {.name = "hunyuan", .splits = kQwen2Only},
    {.name = "solar-open", .splits = kQwen2Only},
    {.name = "grok-2", .splits = kQwen2Only},
    {.name = "qwen35", .splits = kQwen35Only},
    {.name = "ufakzeka", .splits = kUfakzeka},
    {.name = "laguna", .splits = kLaguna},
    {.name = "seed-coder", .splits = kSeedCoder},
    {.name = "bailingmoe", .splits = kBailing},
    {.name = "bailingmoe2", .splits = kBailing},
    {.name = "llada-moe", .splits = kBailing},
    {.name = "exaone-moe", .splits = kExaoneMoe},
    // o200k and its kin: words by case
    {.name = "gpt-4o", .splits = kO200kOnly},
    {.name = "o200k", .splits = kO200kOnly},
    {.name = "llama4", .splits = kO200kOnly},
    {.name = "kanana2", .splits = kO200kOnly},
    {.name = "talkie", .splits = kO200kOnly},
    {.name = "minimax-m2", .splits = kO200kOnly},
    {.name = "granite-embed-multi-97m", .splits = kO200kOnly, .ignore_merges = true},
    {.name = "tekken", .splits = kTekkenOnly, .ignore_merges = true, .add_bos = true},
    {.name = "youtu", .splits = kYoutu, .ignore_merges = true},
    {.name = "tiny_aya", .splits = kTinyAya},
    {.name = "cohere2moe", .splits = kTinyAya},
    {.name = "kimi-k2", .splits = kKimiK2},
    // DeepSeek
    {.name = "deepseek-llm", .splits = kDeepseekLlm},
    {.name = "deepseek-coder", .splits = kDeepseekCoder},
    {.name = "deepseek-v3", .splits = kDeepseek3Steps},
    {.name = "deepseek-r1", .splits = kDeepseek3Steps},
    {.name = "hunyuan-dense", .splits = kDeepseek3Steps},
    {.name = "hy_v4", .splits = kDeepseek3Steps},
    {.name = "joyai-llm", .splits = kDeepseek3Steps},
    {.name = "spark2_5", .splits = kSparkSteps},
    {.name = "afmoe", .splits = kAfmoe},
    // others
    {.name = "falcon", .splits = kFalcon},
    {.name = "bloom", .splits = kBloomOnly},
    {.name = "poro-chat", .splits = kBloomOnly},
    {.name = "gpt3-finnish", .splits = kBloomOnly},
    {.name = "viking", .splits = kViking},
    {.name = "chameleon", .splits = kChameleon, .add_bos = true},
    {.name = "superbpe", .splits = kSuperbpe},
    // merges on UTF-8 instead of the byte alphabet
    {.name = "gemma4", .splits = kNewlinesOnly, .add_bos = true, .letters = false},
    {.name = "granite-embed-multi-311m", .splits = kNewlinesOnly, .add_bos = true, .letters = false},
    {.name = "sarvam-moe", .splits = kNewlinesOnly, .letters = false},
};

Result<PreTokenizerStep> step_of(std::string_view split) {
  if (split == kDigitCuts) return PreTokenizerStep(DigitGroups{DigitGroups::Mode::kCuts});
  if (split == kDigitWords) return PreTokenizerStep(DigitGroups{DigitGroups::Mode::kWholeWords});
  if (split == kDigitRuns) return PreTokenizerStep(DigitGroups{DigitGroups::Mode::kRuns});
  RIVAL_ASSIGN_OR_RETURN(Regex regex, Regex::compile(split));
  return PreTokenizerStep(RegexSplit{std::make_shared<const Regex>(std::move(regex))});
}

}  // namespace

const PreTokenizerRow* find_pre_tokenizer(std::string_view name) {
  for (const PreTokenizerRow& row : kRows)
    if (row.name == name) return &row;
  return nullptr;
}

std::span<const PreTokenizerRow> all_pre_tokenizers() { return kRows; }

Result<std::vector<PreTokenizerStep>> steps_of(const PreTokenizerRow& row) {
  std::vector<PreTokenizerStep> steps;
  for (const std::string_view split : row.splits) {
    RIVAL_ASSIGN_OR_RETURN(PreTokenizerStep step, step_of(split));
    steps.push_back(std::move(step));
  }
  if (row.letters) steps.emplace_back(ByteLetters{});
  return steps;
}

}  // namespace rival::text
