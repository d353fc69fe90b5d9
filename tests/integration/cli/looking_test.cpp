/// The verbs that only look at a bundle, run as a person or a script runs them: what they print, and how they
/// exit (docs/exit-codes.md).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/json.hpp"
#include "lib/base/process.hpp"
#include "lib/bundle/contents.hpp"
#include "tests/support/bundles.hpp"

namespace sealift {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int kInvalidArgument = 2;
constexpr int kNotFound = 3;
constexpr int kIo = 4;
constexpr int kIntegrity = 8;
constexpr int kUntrusted = 9;

/// small_bundle() with one package more.
test::BundleRecipe bundle_with_packages() {
  test::BundleRecipe recipe = test::small_bundle();
  recipe.file("copy.deb", "not really a package");
  const Digest deb = digest_of("not really a package");
  bundle::LockedPackage package{
      "nginx", "1.22.1-9", "amd64", "pool/main/n/nginx/nginx_1.22.1-9_amd64.deb", deb, "Package: nginx\n"};
  recipe.lock().package_sets.push_back({"debian-12", "none", {"amd64"}, {"nginx"}, {package}});
  return recipe;
}

class LookingTest : public testing::Test {
 protected:
  void SetUp() override {
    const test::BundleRecipe recipe = bundle_with_packages();
    const Status written = recipe.write(bundle_, {&key_});
    ASSERT_TRUE(written) << written.error().message();
    ASSERT_TRUE(write_file_atomically(path("sealift.pub"), key_.public_key().pem()));
    const std::string text = recipe.plan()->contents_text;
    root_ = digest_of(text).str();
    contents_ = *bundle::parse_contents(text, "bundle.json");
  }

  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

  static CommandOutput sealift(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SEALIFT_PROGRAM);
    return started({arguments});
  }
  /// With a redirection as a shell writes it.
  static CommandOutput sealift_redirected(const std::string& redirection,
                                          std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"sh", "-c", "exec \"$0\" \"$@\" " + redirection, SEALIFT_PROGRAM});
    return started({arguments});
  }
  static CommandOutput started(const Command& command) {
    const auto output = run(command);
    EXPECT_TRUE(output) << output.error().message();
    return output.value_or(CommandOutput{.exit_code = -1, .out = {}, .err = {}});
  }

  /// What it prints when all is well; nothing goes to stderr then.
  static std::string printed(const std::vector<std::string>& arguments) {
    const CommandOutput output = sealift(arguments);
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_EQ(output.err, "");
    return output.out;
  }
  /// The same as one JSON object of that schema.
  static json::Object printed_json(std::vector<std::string> arguments, const std::string& schema) {
    arguments.emplace_back("--json");
    const auto value = json::parse(printed(arguments), "stdout");
    EXPECT_TRUE(value) << value.error().message();
    const json::Object* object = value ? value->if_object() : nullptr;
    if (object == nullptr) {
      ADD_FAILURE() << "not an object";
      return {};
    }
    EXPECT_EQ(object->at("schema"), json::Value(schema));
    return *object;
  }
  /// The only row of that name under `kind`.
  static json::Object row(const json::Object& listing, const std::string& kind, const std::string& name) {
    json::Object found;
    for (const json::Value& item : listing.at(kind).as_array()) {
      if (item.as_object().at("name") != json::Value(name)) continue;
      EXPECT_TRUE(found.empty()) << name << " is listed twice";
      found = item.as_object();
    }
    EXPECT_FALSE(found.empty()) << name << " is not listed";
    return found;
  }

  /// Nothing on stdout, one message on stderr.
  static void expect_failure(int exit_code, const std::string& message,
                             const std::vector<std::string>& arguments) {
    const CommandOutput output = sealift(arguments);
    EXPECT_EQ(output.exit_code, exit_code) << testing::PrintToString(arguments) << output.err;
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr(message)) << testing::PrintToString(arguments);
  }

  void flip_byte_at(std::uint64_t offset) {
    const auto file = open_file(bundle_, O_RDWR);
    ASSERT_TRUE(file) << file.error().message();
    std::byte byte{};
    ASSERT_TRUE(read_exactly_at(*file, offset, MutableBytes(&byte, 1)));
    byte ^= std::byte{1};
    ASSERT_TRUE(write_exactly_at(*file, offset, Bytes(&byte, 1)));
  }
  std::uint64_t offset_of_file(const std::string& file) const {
    return *contents_.find_blob(contents_.find_file(file)->blob())->offset;
  }
  std::vector<std::string> verify(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"verify", bundle_.string(), "--key", path("sealift.pub")});
    return more;
  }

  TemporaryDirectory directory_ = *TemporaryDirectory::create("looking");
  PrivateKey key_ = *PrivateKey::generate();
  fs::path bundle_ = directory_.path() / "bundle.tar";
  std::string root_;
  bundle::Contents contents_;
};

TEST_F(LookingTest, InfoSaysWhatABundleIs) {
  const std::string text = printed({"info", bundle_.string()});
  for (const std::string& line : std::vector<std::string>{
           "bundle      test 1\n", "locked      2026-11-20T12:00:00Z\n", "root        " + root_ + "\n",
           fmt::format("({} bytes)\n", fs::file_size(bundle_)), "platforms   linux/amd64\n",
           "images      2\n", "packages    1 for debian-12 (beyond the baseline none)\n",
           "signed by   " + key_.public_key().id() + "\n", "Nothing of this was verified"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST_F(LookingTest, InfoSaysTheSameAsJson) {
  const json::Object info = printed_json({"info", bundle_.string()}, "sealift.info/v1");
  EXPECT_EQ(info.at("name"), json::Value("test"));
  EXPECT_EQ(info.at("version"), json::Value("1"));
  EXPECT_EQ(info.at("time"), json::Value("2026-11-20T12:00:00Z"));
  EXPECT_EQ(info.at("root"), json::Value(root_));
  EXPECT_EQ(info.at("size"), json::Value(fs::file_size(bundle_)));
  EXPECT_EQ(info.at("platforms"), json::Value(json::Array{"linux/amd64"}));
  EXPECT_EQ(info.at("images"), json::Value(2));
  EXPECT_EQ(info.at("packages"), json::Value(1));
  EXPECT_EQ(info.at("packageTargets"), json::Value(json::Array{"debian-12"}));
  EXPECT_EQ(info.at("files"), json::Value(contents_.files.size()));
  EXPECT_EQ(info.at("blobs"), json::Value(contents_.blobs.size()));
  EXPECT_EQ(info.at("signatures"), json::Value(json::Array{key_.public_key().id()}));
  EXPECT_EQ(info.at("verified"), json::Value(false));
}

TEST_F(LookingTest, LsListsOneKind) {
  const std::string digest = digest_of("carried across\n").str().substr(0, 19);
  const std::string images = printed({"ls", bundle_.string(), "images"});
  EXPECT_THAT(images, AllOf(HasSubstr("images (2)\n"), HasSubstr("registry.k8s.io/pause:3.10  linux/amd64\n"),
                            HasSubstr("docker.io/library/web:1"), Not(HasSubstr("notes.txt"))));
  const std::string packages = printed({"ls", bundle_.string(), "packages"});
  EXPECT_THAT(packages, AllOf(HasSubstr("packages (1)\n"), HasSubstr("nginx  1.22.1-9 amd64 debian-12\n")));
  const std::string files = printed({"ls", bundle_.string(), "files"});
  EXPECT_THAT(files, AllOf(HasSubstr("15 B  " + digest + "  files/notes.txt"), HasSubstr("of zstd)\n")));
  const std::string blobs = printed({"ls", bundle_.string(), "blobs"});
  EXPECT_THAT(blobs, AllOf(HasSubstr(fmt::format("blobs ({})\n", contents_.blobs.size())), HasSubstr(digest),
                           HasSubstr(fmt::format("at {}\n", offset_of_file("files/notes.txt")))));
}

TEST_F(LookingTest, LsListsAllButBlobsWhenNothingIsNamed) {
  const std::string text = printed({"ls", bundle_.string()});
  EXPECT_THAT(text, AllOf(HasSubstr("images (2)\n"), HasSubstr("packages (1)\n"), HasSubstr("notes.txt"),
                          Not(HasSubstr("blobs ("))));
  EXPECT_EQ(printed({"ls", bundle_.string(), "all"}), text);
  const json::Object all = printed_json({"ls", bundle_.string()}, "sealift.ls/v1");
  EXPECT_TRUE(all.contains("images") && all.contains("packages") && all.contains("files"));
  EXPECT_FALSE(all.contains("blobs"));
}

TEST_F(LookingTest, LsGivesSizesAndWholeDigestsAsJson) {
  const auto listed = [&](const std::string& kind) {
    const json::Object listing = printed_json({"ls", bundle_.string(), kind}, "sealift.ls/v1");
    EXPECT_EQ(listing.size(), 2U) << kind;
    return listing;
  };
  const bundle::ImageEntry& pause = *contents_.find_image("registry.k8s.io/pause:3.10");
  const json::Object image = row(listed("images"), "images", pause.name);
  EXPECT_EQ(image.at("size"), json::Value(pause.size));
  EXPECT_EQ(image.at("digest"), json::Value(pause.digest.str()));

  const json::Object package = row(listed("packages"), "packages", "nginx");
  EXPECT_EQ(package.at("size"), json::Value(20));
  EXPECT_EQ(package.at("digest"), json::Value(digest_of("not really a package").str()));

  const json::Object files = listed("files");
  EXPECT_EQ(files.at("files").as_array().size(), contents_.files.size());
  const json::Object notes = row(files, "files", "files/notes.txt");
  EXPECT_EQ(notes.at("size"), json::Value(15));
  EXPECT_EQ(notes.at("storedSize"), json::Value(15));
  EXPECT_EQ(notes.at("digest"), json::Value(digest_of("carried across\n").str()));
  const json::Object kubelet = row(files, "files", "files/bin/linux/amd64/kubelet");
  const std::string text = test::compressible_text(200000, 1);
  EXPECT_EQ(kubelet.at("size"), json::Value(text.size()));
  EXPECT_EQ(kubelet.at("storedSize"), json::Value(test::zstd_frame(text).size()));
  EXPECT_EQ(kubelet.at("digest"), json::Value(digest_of(text).str()));

  const json::Array blobs = listed("blobs").at("blobs").as_array();
  ASSERT_EQ(blobs.size(), contents_.blobs.size());
  std::size_t index = 0;
  for (const auto& [digest, blob] : contents_.blobs) {
    const json::Object& listed_blob = blobs[index++].as_object();
    EXPECT_EQ(listed_blob.at("digest"), json::Value(digest.str()));
    EXPECT_EQ(listed_blob.at("size"), json::Value(blob.size));
    EXPECT_EQ(listed_blob.at("detail"), json::Value(fmt::format("at {}", *blob.offset)));
  }
}

TEST_F(LookingTest, VerifySaysWhatItCheckedAndWhoSigned) {
  const std::string signer = "\n  " + key_.public_key().id() + "\n";
  EXPECT_THAT(
      printed(verify()),
      AllOf(HasSubstr(fmt::format("test 1 is intact (all {} blobs), signed by", contents_.blobs.size())),
            HasSubstr(signer)));
  EXPECT_THAT(printed(verify({"--quick"})),
              AllOf(HasSubstr("test 1 is intact (signatures and head only), signed by"), HasSubstr(signer)));
  for (const bool quick : {true, false}) {
    const json::Object result =
        printed_json(verify(quick ? std::vector<std::string>{"--quick"} : std::vector<std::string>{}),
                     "sealift.verify/v1");
    EXPECT_EQ(result.at("bundle"), json::Value(bundle_.string()));
    EXPECT_EQ(result.at("name"), json::Value("test"));
    EXPECT_EQ(result.at("version"), json::Value("1"));
    EXPECT_EQ(result.at("root"), json::Value(root_));
    EXPECT_EQ(result.at("checked"), json::Value(quick ? "head" : "everything"));
    EXPECT_EQ(result.at("signers"), json::Value(json::Array{key_.public_key().id()}));
  }
}

TEST_F(LookingTest, OnlyAFullVerifyFindsADamagedBlob) {
  flip_byte_at(offset_of_file("files/notes.txt"));
  const std::string digest = digest_of("carried across\n").hex();
  expect_failure(kIntegrity, digest, verify());
  expect_failure(kIntegrity, digest, verify({"--json", "--jobs", "1"}));
  EXPECT_THAT(printed(verify({"--quick"})), HasSubstr("head only"));
  EXPECT_THAT(printed({"info", bundle_.string()}), HasSubstr(root_));
}

TEST_F(LookingTest, AQuickVerifyFindsADamagedHead) {
  flip_byte_at(contents_.head.at(1).offset);
  expect_failure(kIntegrity, contents_.head.at(1).path, verify({"--quick"}));
  expect_failure(kIntegrity, contents_.head.at(1).path, verify());
}

TEST_F(LookingTest, ATruncatedFileIsDamagedAndAnotherFileIsNoBundle) {
  fs::resize_file(bundle_, fs::file_size(bundle_) - 4096);
  expect_failure(kIntegrity, "truncated", verify({"--quick"}));
  expect_failure(kIntegrity, "truncated", {"info", bundle_.string()});
  expect_failure(kIntegrity, "not a Sealift bundle", {"info", path("sealift.pub")});
  expect_failure(kIntegrity, "not a Sealift bundle", {"ls", path("sealift.pub"), "--json"});
}

TEST_F(LookingTest, TrustsNobodyElse) {
  const std::string other = path("other.pub");
  ASSERT_TRUE(write_file_atomically(other, PrivateKey::generate()->public_key().pem()));
  expect_failure(kUntrusted, "add --key", {"verify", bundle_.string()});
  for (const char* how : {"--quick", "--json"}) {
    expect_failure(kUntrusted, "signature", {"verify", bundle_.string(), "--key", other, how});
    expect_failure(kUntrusted, "expected 2 signature", verify({"--key", other, "--threshold", "2", how}));
  }
}

TEST_F(LookingTest, NamesWhatIsMissing) {
  const std::string missing = path("nosuch.tar");
  expect_failure(kNotFound, missing, {"info", missing});
  expect_failure(kNotFound, missing, {"ls", missing, "images", "--json"});
  expect_failure(kNotFound, missing, {"verify", missing, "--key", path("sealift.pub")});
  expect_failure(kNotFound, path("nosuch.pub"), {"verify", bundle_.string(), "--key", path("nosuch.pub")});
}

TEST_F(LookingTest, RefusesMistakesOfUsage) {
  expect_failure(kInvalidArgument, "subcommand", {});
  expect_failure(kInvalidArgument, "bundle", {"info"});
  expect_failure(kInvalidArgument, "--nosuch", {"info", bundle_.string(), "--nosuch"});
  expect_failure(kInvalidArgument, "charts", {"ls", bundle_.string(), "charts"});
  expect_failure(kInvalidArgument, "--threshold", verify({"--threshold", "0"}));
}

TEST_F(LookingTest, AResultThatCannotBeWrittenIsNone) {
  const CommandOutput output = sealift_redirected(">/dev/full", {"info", bundle_.string()});
  EXPECT_EQ(output.exit_code, kIo);
  EXPECT_THAT(output.err, HasSubstr("cannot write to standard output"));
}

TEST_F(LookingTest, AMessageThatCannotBeWrittenChangesNoExitStatus) {
  EXPECT_EQ(sealift_redirected("2>/dev/full", {"info", path("nosuch.tar")}).exit_code, kNotFound);
  EXPECT_EQ(sealift_redirected("2>&-", {"info", path("nosuch.tar")}).exit_code, kNotFound);
  const CommandOutput output = sealift_redirected("2>/dev/full", {"info", bundle_.string()});
  EXPECT_EQ(output.exit_code, 0);
  EXPECT_THAT(output.out, HasSubstr(root_));
}

}  // namespace
}  // namespace sealift
