#include "builder/assemble/assemble.hpp"

#include <atomic>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/bundle/signatures.hpp"
#include "lib/bundle/writer.hpp"
#include "tests/support/bundles.hpp"

namespace sealift::builder {
namespace {

class AssembleTest : public testing::Test {
 protected:
  /// Serves every blob from the recipe; `spoil` may end a transfer with an error of its own.
  FetchBlob upstream(std::function<Status(const bundle::LockedBlob&)> spoil = nullptr) {
    return [this, spoil](const bundle::LockedBlob& blob, std::uint64_t offset, Sink& sink) -> Status {
      const std::string& content = recipe_.content(blob.digest);
      const std::size_t half = std::max<std::size_t>(offset, content.size() / 2);
      TRY(sink.write(as_bytes(content).subspan(offset, half - offset)));
      if (spoil) TRY(spoil(blob));
      fetched_ += content.size() - offset;
      return sink.write(as_bytes(content).subspan(half));
    };
  }
  Status run(const FetchBlob& fetch, unsigned jobs) {
    TRY_ASSIGN(const auto writer, bundle::BundleWriter::open(path_, plan_));
    const auto progress = make_progress("fetched", ProgressStyle::none);
    TRY(assemble(*writer, plan_, fetch, jobs, *progress, log_));
    TRY_ASSIGN(const std::string slot, bundle::write_signatures({}));
    return writer->seal(slot);
  }

  test::BundleRecipe recipe_ = test::small_bundle();
  bundle::Plan plan_ = *recipe_.plan();
  TemporaryDirectory directory_ = *TemporaryDirectory::create("sealift-assemble");
  fs::path path_ = directory_.path() / "x.tar";
  Log log_{LogLevel::error};
  std::atomic<std::uint64_t> fetched_ = 0;
};

TEST_F(AssembleTest, AStopRequestIsNeverTakenForSuccess) {
  for (const unsigned jobs : {1U, 4U}) {
    const Status status =
        run(upstream([](const auto&) { return fail(ErrorCode::interrupted, "stopped"); }), jobs);
    ASSERT_FALSE(status) << "an unfinished bundle was sealed";
    EXPECT_EQ(status.error().code(), ErrorCode::interrupted);
    EXPECT_FALSE(fs::exists(path_));
  }
}

TEST_F(AssembleTest, TheCauseIsToldNotThatTheOthersStopped) {
  const Digest bad = plan_.wanted.back().blob.digest;
  std::atomic<bool> failed = false;
  const auto spoil = [&](const bundle::LockedBlob& blob) -> Status {
    if (blob.digest != bad) {
      failed.wait(false);
      return fail(ErrorCode::interrupted, "stopped");
    }
    failed = true;
    failed.notify_all();
    return fail(ErrorCode::network, "the cable");
  };
  const Status status = run(upstream(spoil), static_cast<unsigned>(plan_.wanted.size()));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::network);
  EXPECT_THAT(status.error().message(), testing::HasSubstr("the cable"));
}

TEST_F(AssembleTest, TheNextRunFetchesOnlyWhatIsMissing) {
  const Digest last = plan_.wanted.front().blob.digest;
  ASSERT_FALSE(run(upstream([&](const bundle::LockedBlob& blob) -> Status {
                     if (blob.digest == last) return fail(ErrorCode::network, "the cable");
                     return {};
                   }),
                   1));
  const std::uint64_t before = fetched_;
  const Status status = run(upstream(), 1);
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_LE(fetched_, plan_.wanted_bytes);
  EXPECT_LT(fetched_ - before, plan_.wanted_bytes);
  test::BundleRecipe same = test::small_bundle();
  ASSERT_TRUE(same.write(directory_.path() / "y.tar", {}));
  EXPECT_EQ(*read_file(path_, 1 << 30), *read_file(directory_.path() / "y.tar", 1 << 30));
}

}  // namespace
}  // namespace sealift::builder
