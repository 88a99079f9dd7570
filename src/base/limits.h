// Every bound on foreign input and on resources, each with its reason. Code elsewhere names these; it holds no
// numbers of its own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rival::limits {

// ---- model files -------------------------------------------------------------------------------------------
constexpr uint64_t kTensorCountMax = 1u << 17;        // Grok-1 has about 3,000; MoE files stay under 100,000
constexpr uint64_t kMetadataCountMax = 1u << 16;      // real files have under 100
constexpr uint64_t kMetadataKeyBytesMax = 65'535;     // the GGUF specification
constexpr uint64_t kMetadataStringBytesMax = 64u << 20;  // a chat template is under 100 kB; a charsmap under 1 MB
constexpr uint64_t kMetadataArrayItemsMax = 1u << 26; // merges of the largest vocabulary: about 500,000
constexpr uint64_t kTensorNameBytesMax = 512;         // 64 by the GGUF specification; safetensors names are longer
constexpr uint64_t kTensorDimsMax = 4;
constexpr uint64_t kTensorElementsMax = uint64_t{1} << 40;  // a product of dimensions can then never wrap
constexpr uint64_t kAlignmentMax = 1u << 20;
constexpr uint64_t kSafetensorsHeaderBytesMax = 100u << 20;  // the bound of the safetensors library
constexpr uint64_t kShardCountMax = 4096;
constexpr uint64_t kJsonFileBytesMax = 256u << 20;    // tokenizer.json of a 262k vocabulary: about 35 MB

// ---- model shapes ------------------------------------------------------------------------------------------
constexpr uint32_t kLayersMax = 1024;
constexpr uint32_t kHeadsMax = 4096;
constexpr uint32_t kHeadDimMax = 1024;
constexpr uint32_t kModelDimMax = 1u << 17;
constexpr uint32_t kFeedForwardMax = 1u << 20;
constexpr uint32_t kExpertsMax = 4096;
constexpr uint32_t kContextMax = 1u << 24;
constexpr uint32_t kVocabularyMax = 1u << 22;

// ---- text --------------------------------------------------------------------------------------------------
constexpr size_t kTokenBytesMax = 1u << 16;           // longest real token: a few hundred bytes of spaces
constexpr size_t kPromptBytesMax = 64u << 20;         // a 16 MiB request plus its template
constexpr size_t kRegexBytesMax = 64u << 10;          // the longest real pre-tokeniser pattern: about 2 kB
constexpr int kRegexClassDepthMax = 16;               // classes inside classes; real patterns nest once
constexpr uint32_t kRegexStepsMax = 100'000'000;      // backtracking of one match; real patterns stay under 2 a byte
constexpr size_t kRegexStackBytesMax = 256u << 20;    // a group repeated over a 1 MB piece needs about 40 MB
constexpr int kJsonDepthMax = 128;
constexpr size_t kTemplateBytesMax = 4u << 20;
constexpr int kTemplateDepthMax = 100;                // nesting of blocks and of expressions
constexpr int kTemplateTreeDepthMax = 500;            // operations in one expression, as in a + b + c + ...
constexpr size_t kTemplateOutputBytesMax = 64u << 20;
constexpr uint64_t kTemplateStepsMax = 20'000'000;    // a render of 10,000 messages takes under a million
constexpr size_t kTemplateBytesPerStep = 128;         // copying or scanning this much counts as one more step
constexpr size_t kTemplateMemoryBytesMax = 512u << 20;  // values alive at once: the largest prompt several times over
constexpr size_t kTemplateStackBytesMax = 3u << 20;   // a thread's stack is 8 MiB by default
constexpr int kTemplateCallDepthMax = 200;            // macros in macros; Python's own bound is about 190
constexpr int kTemplateRangeMax = 100'000;            // the bound of jinja2's sandbox

// ---- http, as a client -------------------------------------------------------------------------------------
constexpr size_t kHttpRedirectsMax = 8;               // a hub needs two
constexpr uint64_t kHttpHeaderBytesMax = 256u << 10;  // signed addresses of a hub reach a few kilobytes
constexpr uint64_t kHttpErrorBodyBytesMax = 1u << 20;
constexpr uint64_t kHubAnswerBytesMax = 64u << 20;    // a file list of a repository with 10,000 files: about 5 MB

// ---- models by name ----------------------------------------------------------------------------------------
constexpr uint64_t kModelFileBytesMax = uint64_t{1} << 42;  // 4 TB; the largest open model has 1.5 TB
constexpr uint64_t kManifestBytesMax = 4u << 20;
constexpr size_t kModelFilesMax = 4096;               // shards, and the small files of a folder
constexpr size_t kModelNameBytesMax = 256;

// ---- requests ----------------------------------------------------------------------------------------------
constexpr uint32_t kAnswersMax = 128;                 // n of one request, as in OpenAI's API
constexpr int64_t kAnswerTokensMax = 1 << 24;         // what a client may ask for; the context ends it long before
constexpr size_t kMessagesMax = 10'000;               // of one conversation
constexpr size_t kCallsMax = 512;                     // of tools, in one message
constexpr size_t kPromptsMax = 256;                   // of one request for completions
constexpr size_t kAnthropicMessagesMax = 100'000;     // as in Anthropic's API
constexpr size_t kAnthropicPageMax = 1000;            // of a list there
constexpr size_t kEmbeddingInputsMax = 2048;          // texts of one request, as in OpenAI's API
constexpr size_t kStopStringsMax = 16;                // each is looked for at every token
constexpr size_t kToolsMax = 512;                     // agents with every tool of their servers bring about 200
constexpr size_t kToolNameBytesMax = 128;             // as in Anthropic's API; OpenAI's has 64

// ---- the server's connections, where nothing else is configured ---------------------------------------------
constexpr uint64_t kBodyBytes = 16u << 20;            // a conversation of 1,000 pages has about 3 MB
constexpr uint32_t kHeaderBytes = 32u << 10;          // browsers send up to 8 kB of cookies
constexpr uint32_t kConnections = 12'000;             // idle ones cost about 2 kB each
constexpr uint32_t kConnectionsBetween = 64;          // one that gives up its place needs a moment to end
constexpr uint64_t kReceivingBytes = 64u << 20;       // of all requests that are not complete
constexpr uint64_t kPendingBytes = 4u << 20;          // of one stream, written and not taken: the longest answer twice
constexpr uint64_t kUnsentBytes = 256u << 20;         // of all answers, written and not taken
constexpr double kStuckS = 5;                         // a phone that changes its network is silent for about three
constexpr double kHeaderTimeoutS = 75;                // browsers keep a connection open for about a minute
constexpr double kBodyTimeoutS = 60;
constexpr double kWriteTimeoutS = 60;
constexpr size_t kHeadReadBytes = 2048;               // at a time: thousands of connections wait for a header
constexpr size_t kBodyReadBytes = 64u << 10;
constexpr int kTlsHandshakeS = 15;                    // a phone on a bad network needs about two
constexpr int kGoodbyeS = 5;                          // for the last bytes of a connection
constexpr size_t kTlsPieceBytes = 16u << 10;          // a TLS record
constexpr size_t kOriginBytesMax = 512;               // a host name has at most 253
constexpr size_t kHeaderNamesBytesMax = 2048;         // that a preflight lists
constexpr size_t kRequestIdBytesMax = 64;             // of a client's own: it goes into the log
constexpr size_t kLogTextBytesMax = 256;              // of a path or a name in a line of the log
constexpr uint64_t kLogLinesMax = 10'000;             // that wait for the disk
constexpr uint64_t kConfigFileBytesMax = 1u << 20;
constexpr uint64_t kKeyFileBytesMax = 8u << 20;
constexpr size_t kKeysMax = 10'000;                   // each request is compared with all of them: about 1 ms
constexpr size_t kKeyNameBytesMax = 64;
constexpr int kRetryAfterQueueS = 2;                  // a full queue: about one short answer
constexpr int kRetryAfterBusyS = 5;                   // all models at work: about an answer
constexpr int kRetryAfterLoadingS = 2;

// ---- models on demand ---------------------------------------------------------------------------------------
constexpr size_t kLoadWaitingMax = 4096;              // requests for one model that is being loaded
constexpr uint32_t kFetchesMax = 64;                  // that wait for each other
constexpr size_t kModelAliasesMax = 1024;             // names in other cases and spellings; forgotten when there are more
constexpr uint64_t kKvBytesWorthwhile = 256u << 20;   // with fewer for pages another model is not worth keeping
constexpr double kKeepSecondsMax = 1e9;               // a model that is to stay longer stays for ever

// ---- what the server keeps ---------------------------------------------------------------------------------
constexpr int kDatabaseBusyMs = 10'000;               // another process writes: a backup's end, a second server
constexpr size_t kItemsMax = 10'000;                  // of one input, or of the chain of answers before it
constexpr size_t kItemsAddedMax = 20;                 // to a conversation at once, as in OpenAI's API
constexpr size_t kPageItemsMax = 100;                 // of one page of a list, as in OpenAI's API
constexpr size_t kItemIdBytesMax = 128;
constexpr size_t kNotePairsMax = 16;                  // metadata of a kept object: OpenAI's bounds, in characters
constexpr size_t kNoteKeyMax = 64;
constexpr size_t kNoteValueMax = 512;
constexpr int kResponseNewsMs = 100;                  // what goes on in the background is kept, then told, this often: a flush of the disk
constexpr size_t kExpiredAtOnceMax = 200;             // responses removed in one transaction: others wait about 10 ms
constexpr int kExpireEveryS = 3600;
constexpr uint64_t kDatabaseCheckBytesMax = 256u << 20;  // a larger file is not read whole at every start: about 1 s

// ---- the page -----------------------------------------------------------------------------------------------
constexpr size_t kPageTitleBytesMax = 400;            // a line of the list shows about 60 characters
constexpr size_t kPageFolderBytesMax = 200;
constexpr size_t kPageSystemBytesMax = 1u << 20;
constexpr size_t kPageSettingsBytesMax = 256u << 10;  // tools are the largest part
constexpr size_t kPagePreferencesBytesMax = 64u << 10;
constexpr size_t kPageAttachmentsMax = 64;            // of one message
constexpr size_t kPageAttachmentBytesMax = 8u << 20;  // of its text; a 1,000 page book has about 3 MB
constexpr size_t kPageNameBytesMax = 400;             // of an attached file, a tool, a group
constexpr size_t kPageMessagesMax = 100'000;          // of one chat
constexpr size_t kPageSearchWordsMax = 16;
constexpr size_t kPageListMax = 200;                  // rows of one answer: chats, hits
constexpr size_t kPageTokenViewsMax = 1000;           // newest answers whose tokens' alternatives are kept: about 20 MB
constexpr size_t kPageTokensKeptMax = 20'000;         // of one answer
constexpr size_t kPageRunningMax = 64;                // answers of one owner at a time
constexpr size_t kPageEventsKept = 4096;              // for tabs that come back
constexpr size_t kPageEventBytesKept = 2u << 20; 
constexpr size_t kPageStreamsMax = 256;               // open event streams of one owner: tabs
constexpr size_t kPageSessionsMax = 10'000;
constexpr int64_t kPageSessionMs = int64_t{30} * 24 * 3600 * 1000;
constexpr int64_t kPageUndoMs = 10 * 60 * 1000;       // then a deleted chat is gone
constexpr int kPageWrongKeysMax = 10;                 // in a minute, before 429

// ---- grammars ----------------------------------------------------------------------------------------------
constexpr size_t kGrammarTextBytesMax = 4u << 20;     // the largest published schema in use has 0.9 MB
constexpr int kGrammarDepthMax = 128;                 // nesting of groups, rules and generated containers
constexpr size_t kPatternBytesMax = 16u << 10;        // patterns in the wild stay under 2 kB
constexpr uint32_t kPatternRepeatMax = 100'000;       // {m,n}: counted, never unrolled
constexpr uint64_t kGrammarSearchWork = 500'000;      // to prove one language empty: about 20 ms
constexpr uint64_t kGrammarCompileWork = 6'000'000;   // of all patterns of one schema: about 200 ms
constexpr size_t kGrammarRegexNodesMax = 2'000'000;   // about 150 MB for the most hostile grammar
constexpr size_t kGrammarTypesMax = 50'000;           // normal forms of one schema; Kubernetes needs about 3,000
constexpr size_t kGrammarAlternativesMax = 64;        // object or array shapes that stay open at one place: bits of a word
constexpr size_t kGrammarStatesMax = 60'000;          // states of one lazily built automaton: about 40 MB
constexpr size_t kGrammarMaskCacheBytesMax = 2u << 20;  // finished masks kept for each grammar
constexpr size_t kGrammarRollbackMax = 256;           // tokens that can be taken back: drafts are under 32
constexpr int kTagBlanksMax = 8;                       // white space between tool calls: models write one or two
constexpr size_t kGrammarsKeptMax = 32;                 // of one served model: a client and its tools

static_assert(kTensorElementsMax <= UINT64_MAX / 64, "sizes in bytes must not wrap");
static_assert(kVocabularyMax <= kMetadataArrayItemsMax);

}  // namespace rival::limits
