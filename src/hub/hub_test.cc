#include "hub/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "hub/catalogue.h"
#include "hub/huggingface.h"
#include "hub/manifest.h"
#include "hub/partial_file.h"
#include "hub/process.h"
#include "hub/source.h"
#include "hub/store.h"

namespace rival::hub {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("rival_hub_unit_{}_{}", ::getpid(), ++count_)) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  static inline int count_ = 0;
  fs::path path_;
};

const std::string kHash(64, 'a');

// ---- sources
// ------------------------------------------------------------------------------------------------------

TEST(Source, FormsAndTheirTexts) {
  for (const char* text : {"pypi:a-b==1.0/x/y.gguf", "hf:Owner/Name_1.5", "hf:o/n@v1/sub/file.gguf",
                           "https://host/a.gguf?x=1"}) {
    const auto source = parse_source(text);
    ASSERT_TRUE(source.ok()) << text;
    EXPECT_EQ(to_text(*source), text);
  }
  EXPECT_EQ(to_text(*parse_source("https://huggingface.co/o/n/resolve/main/sub/f.gguf?download=true")),
            "hf:o/n/sub/f.gguf");
  EXPECT_EQ(to_text(*parse_source("https://huggingface.co/o/n/tree/v2")), "hf:o/n@v2");
  EXPECT_EQ(to_text(*parse_source("HTTPS://HuggingFace.co/o/n")), "hf:o/n");
  EXPECT_EQ(std::get<UrlSource>(*parse_source("https://h/a.gguf#sha256=" + std::string(64, 'A'))).sha256,
            kHash);
}

TEST(Source, Refused) {
  for (const char* text : {"pypi:a==1", "pypi:a/1==x", "pypi:-a==1/m", "pypi:a==-1/m", "pypi:a==1/../m",
                           "pypi:a==1//m", "hf:o", "hf:o/", "hf:o/..", "hf:o/n/../x", "hf:o/n/a//b",
                           "hf:o/n@/f", "hf:o/n@../f", "hf:o/n/a\\b", "https://host", "https://host/",
                           "ftp://h/x", "https://h/x.gguf#sha256=12", "https://huggingface.co/o/n/settings"})
    EXPECT_EQ(parse_source(text).error().code, ErrorCode::kInvalidArgument) << text;
}

TEST(Source, SafeRelativePaths) {
  for (const char* path : {"a", "a/b.c", "..a/b..", "ü/空"}) EXPECT_TRUE(is_safe_relative_path(path)) << path;
  for (const char* path : {"", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a\nb", "a\\b"})
    EXPECT_FALSE(is_safe_relative_path(path)) << path;
  EXPECT_FALSE(is_safe_relative_path(std::string(300, 'a')));
}

// ---- the catalogue
// ------------------------------------------------------------------------------------------------

TEST(CatalogueFile, EveryRowIsWholeAndNamedOnce) {
  const auto catalogue = Catalogue::load("/nonexistent/catalogue.json");
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  ASSERT_NE(catalogue->find(kDefaultModel), nullptr);
  for (const Row& row : catalogue->rows()) {
    EXPECT_THAT(row.name, HasSubstr(":"));
    EXPECT_EQ(catalogue->find(row.name), &row) << row.name;
    for (const std::string& alias : row.aliases) EXPECT_EQ(catalogue->find(alias), &row) << alias;
    EXPECT_GT(row.total_bytes(), 1'000'000u) << row.name;
    EXPECT_GT(row.context, 0u) << row.name;
    EXPECT_FALSE(row.licence.id.empty() || row.licence.url.empty() || row.origin.empty() ||
                 row.quantisation.empty())
        << row.name;
    // A hash stands where we fetched the file, and then its size is exact.
    for (const FileRow& file : row.files) EXPECT_EQ(file.sha256.empty(), file.bytes == 0) << row.name;
  }
}

TEST(CatalogueFile, NamesAliasesAndQuantisations) {
  const auto catalogue = Catalogue::load("/nonexistent/catalogue.json");
  ASSERT_TRUE(catalogue.ok());
  for (const char* name : {"smollm2", "SmolLM2:135M", "smollm2:135m-q4_1", "default"})
    EXPECT_EQ(catalogue->find(name)->name, "smollm2:135m") << name;
  EXPECT_EQ(catalogue->find("smollm2:135m-q8_0"), nullptr);
  EXPECT_THAT(catalogue->similar("smolm2:135m"), ::testing::Contains("smollm2:135m"));
  EXPECT_THAT(catalogue->similar("gemma3:99b"), ::testing::Each(HasSubstr("gemma3:")));
  EXPECT_THAT(catalogue->similar("entirely-unknown"), ElementsAre());
  EXPECT_EQ(catalogue->find("gemma3:270m")->kind, Kind::kBase);
  EXPECT_TRUE(catalogue->find("gemma3:270m")->licence.accept);
}

TEST(CatalogueFile, SuggestsWhatFits) {
  const auto catalogue = Catalogue::load("/nonexistent/catalogue.json");
  ASSERT_TRUE(catalogue.ok());
  const Row* tiny = catalogue->find(kDefaultModel);
  EXPECT_EQ(catalogue->bigger_that_fits(tiny, 700'000'000, 2), nullptr);
  const Row* small = catalogue->bigger_that_fits(tiny, 3'000'000'000, 2);
  ASSERT_NE(small, nullptr);
  EXPECT_LE(small->memory_bytes(), 3'000'000'000u);
  EXPECT_GT(small->total_bytes(), tiny->total_bytes());
  EXPECT_FALSE(small->licence.accept);
  // Much memory and few cores: a mixture of experts, whose active share a small machine can read in time.
  const Row* mixture = catalogue->bigger_that_fits(tiny, 64'000'000'000, 2);
  ASSERT_NE(mixture, nullptr);
  EXPECT_LT(mixture->active_share, 1);
}

TEST(CatalogueFile, ErrorsNameTheField) {
  const auto message = [](const std::string& row) {
    return Catalogue::parse(R"({"models":[)" + row + "]}").error().message;
  };
  EXPECT_THAT(message(R"({"kind":"base","licence":{"id":"x"},"files":[{"from":["hf:o/n/f"]}]})"),
              HasSubstr("'name' is missing"));
  EXPECT_THAT(message(R"({"name":"a:1","kind":"chat","licence":{"id":"x"},"files":[{"from":["hf:o/n/f"]}]})"),
              HasSubstr("'kind'"));
  EXPECT_THAT(message(R"({"name":"a:1","kind":"base","files":[{"from":["hf:o/n/f"]}]})"),
              HasSubstr("'licence'"));
  EXPECT_THAT(message(R"({"name":"a:1","kind":"base","licence":{"id":"x"},"files":[]})"), HasSubstr("files"));
  EXPECT_THAT(
      message(
          R"({"name":"a:1","kind":"base","licence":{"id":"x"},"files":[{"from":["hf:o/n/f"],"name":"../f"}]})"),
      HasSubstr("'name'"));
  EXPECT_THAT(
      message(
          R"({"name":"a:1","kind":"base","licence":{"id":"x"},"files":[{"from":["hf:o/n/f"],"sha256":"12"}]})"),
      HasSubstr("'sha256'"));
  EXPECT_THAT(
      message(
          R"({"name":"a:1","kind":"base","licence":{"id":"x"},"files":[{"from":["hf:o/n/f","hf:o/n/g"]}]})"),
      HasSubstr("joins"));
  EXPECT_THAT(
      message(
          R"({"name":"a:1","kind":"base","licence":{"id":"x"},"files":[{"from":["hf:o/n/f"],"bytes":-1}]})"),
      HasSubstr("'bytes'"));
  EXPECT_THAT(message("7"), HasSubstr("not an object"));
}

// ---- the store
// ----------------------------------------------------------------------------------------------------

TEST(Store, NamesBecomeOnePathComponent) {
  EXPECT_EQ(encode_component("smollm2:135m"), "smollm2:135m");
  EXPECT_EQ(encode_component("hf:o/n"), "hf:o%2Fn");
  EXPECT_EQ(encode_component(".."), "%2E.");
  EXPECT_NE(encode_component("a/b"), encode_component("a%2Fb"));
  EXPECT_LE(encode_component(std::string(5000, '/')).size(), 255u);
  EXPECT_NE(encode_component(std::string(5000, '/')), encode_component(std::string(5001, '/')));
  EXPECT_FALSE(encode_component("").empty());
}

TEST(Store, ManifestRoundTrip) {
  const Manifest manifest{.name = "m",
                          .source = "hf:o/n",
                          .licence = "MIT",
                          .pulled_at_s = 5,
                          .files = {{"a/b", 7, kHash, "/x"}}};
  const auto read = parse_manifest(manifest_text(manifest));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(manifest_text(*read), manifest_text(manifest));
  EXPECT_FALSE(parse_manifest("{}").ok());
  EXPECT_FALSE(parse_manifest(manifest_text({.name = "m", .files = {{"../b", 7, kHash, ""}}})).ok());
  EXPECT_FALSE(parse_manifest(manifest_text({.name = "m", .files = {{"b", 7, "zz", ""}}})).ok());
  EXPECT_FALSE(parse_manifest(manifest_text({.name = "m"})).ok());
}

TEST(Store, AModelIsThereWhenItsManifestAndFilesAre) {
  Folder folder;
  const Store store(folder.path() / "home");
  ASSERT_TRUE(store.prepare().ok());
  ASSERT_TRUE(write_file_atomically(store.partial_path("k"), "weights").ok());
  ASSERT_TRUE(store.adopt(store.partial_path("k"), kHash).ok());
  const Manifest manifest{
      .name = "o/n", .source = "s", .licence = "", .pulled_at_s = 1, .files = {{"sub/w.gguf", 7, kHash, ""}}};
  EXPECT_EQ(store.manifest("o/n").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(store.publish(manifest).ok());
  ASSERT_TRUE(store.manifest("o/n").ok());
  EXPECT_EQ(*read_file(store.model_folder("o/n") / "sub/w.gguf", 100), "weights");
  EXPECT_EQ(store.models().size(), 1u);
  fs::permissions(store.blob_path(kHash), fs::perms::owner_all);
  ASSERT_TRUE(write_file_atomically(store.blob_path(kHash), "cut").ok());
  EXPECT_EQ(store.manifest("o/n").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(*store.remove("o/n"), 3u);
  EXPECT_FALSE(fs::exists(store.blob_path(kHash)));
}

TEST(Store, PublishRefusesNamesThatLeaveTheFolder) {
  Folder folder;
  const Store store(folder.path());
  EXPECT_FALSE(store.publish({.name = "m", .files = {{"../x", 1, kHash, ""}}}).ok());
  EXPECT_FALSE(store.publish({.name = "m", .files = {{"manifest.json", 1, kHash, ""}}}).ok());
}

TEST(Store, SpaceIsChecked) {
  Folder folder;
  const Store store(folder.path());
  EXPECT_TRUE(store.check_space(0).ok());
  const Status status = store.check_space(uint64_t{1} << 60);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("RIVAL_HOME"));
}

TEST(PartialFile, GoesOnWhereItEnded) {
  Folder folder;
  {
    auto file = PartialFile::open(folder.path() / "p");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->append("ab").ok());
  }
  auto file = PartialFile::open(folder.path() / "p");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->bytes(), 2u);
  ASSERT_TRUE(file->append("c").ok());
  EXPECT_EQ(*file->finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// ---- repositories
// -------------------------------------------------------------------------------------------------

TEST(Repository, SplitParts) {
  EXPECT_THAT(split_parts("a/m-00002-of-00003.gguf"),
              ElementsAre("a/m-00001-of-00003.gguf", "a/m-00002-of-00003.gguf", "a/m-00003-of-00003.gguf"));
  for (const char* path : {"m.gguf", "m-00001-of-00000.gguf", "m-00001-of-99999.gguf", "m-0001-of-0002.gguf",
                           "-00001-of-00002.gguf", "m-00001-of-00002.bin"})
    EXPECT_THAT(split_parts(path), ElementsAre(path));
}

TEST(Repository, ChoosesAsAPersonWould) {
  const auto choose = [](std::vector<std::string> paths, const std::string& wanted) {
    std::vector<ListedFile> files;
    for (const std::string& path : paths) files.push_back({.path = path});
    return choose_files(files, wanted);
  };
  EXPECT_THAT(*choose({"m-Q8_0.gguf", "m-Q4_0.gguf", "mmproj-Q4_K_M.gguf"}, ""), ElementsAre("m-Q4_0.gguf"));
  EXPECT_EQ(choose({"x/m-Q4_K_M-00002-of-00002.gguf", "x/m-Q4_K_M-00001-of-00002.gguf"}, "")->size(), 2u);
  EXPECT_THAT(*choose({"a.gguf", "B.GGUF"}, "b.gguf"), ElementsAre("B.GGUF"));
  EXPECT_THAT(
      *choose({"config.json", "model.safetensors", "model-00001-of-00002.safetensors", "README.md"}, ""),
      ElementsAre("config.json", "model.safetensors"));
  EXPECT_THAT(choose({"config.json", "x.bin"}, "").error().message, HasSubstr("neither"));
  EXPECT_THAT(choose({"a.gguf"}, "b.gguf").error().message, HasSubstr("a.gguf"));
}

// ---- processes
// ----------------------------------------------------------------------------------------------------

TEST(Process, OutputErrorsAndStatus) {
  std::string output;
  const auto take = [&](std::string_view text) {
    output += text;
    return Status();
  };
  const auto end = run_process({.arguments = {"sh", "-c", "echo $GREETING; echo bad >&2; exit 3"},
                                .folder = "/",
                                .environment = {{"GREETING", "hello"}},
                                .on_output = take});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(output, "hello\n");
  EXPECT_EQ(end->errors, "bad\n");
  EXPECT_EQ(end->status, 3);
  EXPECT_EQ(run_process({.arguments = {"/nonexistent/program"}, .folder = "/"}).error().code,
            ErrorCode::kNotFound);
}

TEST(Process, ASinkThatRefusesEndsIt) {
  const auto end = run_process({.arguments = {"yes"}, .folder = "/", .on_output = [](std::string_view) {
                                  return Status(make_error(ErrorCode::kLimit, "enough"));
                                }});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().message, "enough");
}

// ---- paths
// --------------------------------------------------------------------------------------------------------

TEST(ResolvePath, FilesAndFolders) {
  Folder folder;
  EXPECT_EQ(resolve_path(folder.path() / "none").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(resolve_path(folder.path()).error().message, HasSubstr("holds no model"));
  ASSERT_TRUE(write_file_atomically(folder.path() / "m-00001-of-00002.gguf", "x").ok());
  ASSERT_TRUE(write_file_atomically(folder.path() / "m-00002-of-00002.gguf", "x").ok());
  EXPECT_EQ(resolve_path(folder.path())->path.filename(), "m-00001-of-00002.gguf");
  ASSERT_TRUE(write_file_atomically(folder.path() / "config.json", "{}").ok());
  ASSERT_TRUE(write_file_atomically(folder.path() / "model.safetensors", "x").ok());
  EXPECT_EQ(resolve_path(folder.path())->path, folder.path());
}

}  // namespace
}  // namespace rival::hub
