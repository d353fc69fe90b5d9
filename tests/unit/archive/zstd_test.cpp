#include "lib/archive/zstd.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/process.hpp"

namespace sealift::archive {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kPlenty = 1ULL << 30;

/// Half noise, half repetition: blocks of every kind.
std::string sample(std::size_t size) {
  std::mt19937 random(20261121);
  std::string text;
  while (text.size() < size) {
    text += fmt::format("{:08x}", random());
    text.append(random() % 300, 'x');
  }
  text.resize(size);
  return text;
}

std::string compressed(std::string_view content, const std::vector<std::size_t>& chunks = {}) {
  MemorySink frame(kPlenty);
  ZstdCompressSink sink(frame, content.size());
  for (const std::size_t chunk : chunks) {
    EXPECT_TRUE(sink.write(as_bytes(content.substr(0, chunk))));
    content.remove_prefix(std::min(chunk, content.size()));
  }
  EXPECT_TRUE(sink.write(as_bytes(content)));
  EXPECT_TRUE(sink.finish());
  return frame.take();
}

/// Gives at most `most` bytes at a time.
class SlowSource final : public Source {
 public:
  SlowSource(std::string_view text, std::size_t most) : from_(text), most_(most) {}
  Result<std::size_t> read(MutableBytes buffer) override {
    return from_.read(buffer.first(std::min(buffer.size(), most_)));
  }

 private:
  MemorySource from_;
  std::size_t most_;
};

Result<std::string> expanded(std::string_view frame, std::uint64_t size, std::size_t most = 1U << 20) {
  SlowSource from(frame, most);
  ZstdSource source(from, size, "kubelet");
  return read_all(source, kPlenty, "reading");
}

std::string refusal(std::string_view frame, std::uint64_t size) {
  const auto content = expanded(frame, size);
  if (content) return "accepted";
  EXPECT_EQ(content.error().code(), ErrorCode::integrity) << content.error().message();
  EXPECT_THAT(content.error().message(), HasSubstr("kubelet"));
  return content.error().message();
}

/// What the zstd program makes of it.
std::string by_program(const std::string& content, std::vector<std::string> options) {
  Command command;
  command.arguments = {"zstd", "-q", "-c"};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  command.input = content;
  command.output_limit_bytes = kPlenty;
  const auto output = run_checked(command);
  EXPECT_TRUE(output) << output.error().message();
  return output ? output->out : std::string();
}

TEST(ZstdCompress, SameBytesHoweverTheyArrive) {
  std::mt19937 random(1);
  // Around the encoder's pieces and blocks, where an end may fall together with one.
  for (const std::size_t size :
       {0UL, 1UL, 1000UL, (128UL << 10) - 1, 128UL << 10, (128UL << 10) + 1, 256UL << 10, 3'000'000UL}) {
    const std::string content = sample(size);
    const std::string whole = compressed(content);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::size_t> chunks;
      const std::size_t largest = round % 2 == 0 ? 5000 : 400'000;
      for (int i = 0; i < 200; ++i) chunks.push_back(random() % largest);
      ASSERT_EQ(compressed(content, chunks), whole) << size << " round " << round;
    }
  }
}

TEST(ZstdCompress, GivesAFrameThatTheProgramReads) {
  const std::string content = sample(500'000);
  const std::string frame = compressed(content);
  EXPECT_LT(frame.size(), content.size());
  EXPECT_EQ(by_program(frame, {"-d"}), content);
  // Frame_Header_Descriptor (RFC 8878, section 3.1.1.1.1): checksum, and a field for the content size.
  EXPECT_NE(frame[4] & 0x04, 0);
  EXPECT_NE(frame[4] & 0xE0, 0);
}

TEST(ZstdCompress, RefusesAnotherSizeThanAnnounced) {
  MemorySink nowhere(kPlenty);
  ZstdCompressSink more(nowhere, 3);
  EXPECT_FALSE(more.write(as_bytes("four")));
  ZstdCompressSink less(nowhere, 5);
  ASSERT_TRUE(less.write(as_bytes("four")));
  const Status finished = less.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code(), ErrorCode::integrity);
}

TEST(ZstdCompress, NamesTheLibraryAndTheLevel) {
  EXPECT_THAT(zstd_encoder(), testing::MatchesRegex("zstd [0-9.]+ level 3"));
}

TEST(ZstdExpand, ReturnsTheContentFromPiecesOfAnySize) {
  for (const std::size_t size : {0UL, 1UL, 300'000UL}) {
    const std::string content = sample(size);
    const std::string frame = compressed(content);
    for (const std::size_t most : {1UL, 1000UL, 1UL << 20}) {
      const auto found = expanded(frame, size, most);
      ASSERT_TRUE(found) << found.error().message();
      EXPECT_EQ(*found, content);
    }
  }
}

TEST(ZstdExpand, ReadsWhatOthersCompressed) {
  const std::string content = sample(300'000);
  for (const char* level : {"-1", "-19"}) {
    const std::string frame = by_program(content, {level, fmt::format("--stream-size={}", content.size())});
    const auto found = expanded(frame, content.size());
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(*found, content);
  }
}

TEST(ZstdExpand, RefusesATruncatedFrame) {
  const std::string content = sample(300'000);
  const std::string frame = compressed(content);
  for (const std::size_t keep : {0UL, 3UL, 6UL, frame.size() / 2, frame.size() - 4, frame.size() - 1}) {
    EXPECT_NE(refusal(frame.substr(0, keep), content.size()), "accepted") << keep;
  }
}

TEST(ZstdExpand, RefusesTrailingGarbage) {
  const std::string frame = compressed(sample(1000));
  EXPECT_THAT(refusal(frame + "x", 1000), HasSubstr("bytes follow its end"));
  EXPECT_THAT(refusal(frame + frame, 1000), HasSubstr("bytes follow its end"));
}

TEST(ZstdExpand, RefusesABombLargerThanDeclared) {
  const std::string bomb = compressed(std::string(50'000'000, '\0'));
  EXPECT_LT(bomb.size(), 10'000U);
  EXPECT_THAT(refusal(bomb, 1000), HasSubstr("its header says 50000000 bytes"));
  EXPECT_THAT(refusal(by_program(std::string(1'000'000, '\0'), {}), 1000),
              HasSubstr("does not say the size"));
}

/// The header says `size` bytes, the only block repeats one byte `repeated` times (RFC 8878, sections 3.1.1.1
/// and 3.1.1.2).
std::string rle_frame(std::uint32_t size, std::uint32_t repeated) {
  std::string frame("\x28\xB5\x2F\xFD", 4);
  frame += '\xA0';  // a content size of four bytes, one segment
  for (int i = 0; i < 4; ++i) frame += static_cast<char>(size >> (8 * i));
  const std::uint32_t block = repeated << 3 | 1U << 1 | 1U;
  for (int i = 0; i < 3; ++i) frame += static_cast<char>(block >> (8 * i));
  return frame + 'a';
}

TEST(ZstdExpand, RefusesAHeaderThatLiesAboutTheSize) {
  EXPECT_EQ(expanded(rle_frame(5000, 5000), 5000).value(), std::string(5000, 'a'));
  EXPECT_NE(refusal(rle_frame(5000, 5001), 5000), "accepted");
  EXPECT_NE(refusal(rle_frame(5000, 4999), 5000), "accepted");
}

TEST(ZstdExpand, RefusesEveryFlippedBit) {
  const std::string content = sample(20'000);
  const std::string frame = compressed(content);
  for (std::size_t at = 0; at < frame.size(); at += 13) {
    std::string damaged = frame;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const auto found = expanded(damaged, content.size());
    // Some bits mean nothing, but none may change the content.
    if (found) {
      EXPECT_EQ(*found, content) << at;
    } else {
      EXPECT_EQ(found.error().code(), ErrorCode::integrity) << at;
    }
  }
}

TEST(ZstdExpand, RefusesOtherFormats) {
  EXPECT_THAT(refusal(std::string("\x1f\x8b\x08\x00 gzip", 9), 5), HasSubstr("begins otherwise"));
  EXPECT_THAT(refusal(std::string("\x50\x2A\x4D\x18\x04\x00\x00\x00skip", 12), 4),
              HasSubstr("begins otherwise"));
  EXPECT_NE(refusal("", 0), "accepted");
}

TEST(ZstdExpand, RefusesAWindowThatWouldTakeTooMuchMemory) {
  // One segment: the window is the whole content, here 256 MiB.
  EXPECT_THAT(refusal(rle_frame(256U << 20, 1000), 256U << 20), HasSubstr("too much memory"));
}

TEST(ZstdExpand, RefusesEmptyBlocksWithoutEnd) {
  std::string frame = rle_frame(5000, 5000);
  const std::string block = frame.substr(frame.size() - 4);
  frame.resize(frame.size() - 4);
  for (int i = 0; i < 700'000; ++i) frame.append(3, '\0');
  EXPECT_THAT(refusal(frame + block, 5000), HasSubstr("goes on without content"));
}

TEST(ZstdExpand, GivesTheLastBytesOnlyWhenTheChecksumIsRight) {
  const std::string content = sample(1000);
  std::string frame = compressed(content);
  frame.back() = static_cast<char>(frame.back() ^ 1);
  MemorySource from(frame);
  ZstdSource source(from, content.size(), "kubelet");
  std::vector<std::byte> buffer(content.size());
  EXPECT_FALSE(source.read(buffer));
}

}  // namespace
}  // namespace sealift::archive
