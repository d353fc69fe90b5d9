#include "builder/fetch/stored_form.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "lib/archive/zstd.hpp"
#include "lib/base/ascii.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::builder {

namespace {

constexpr std::array<std::string_view, 8> kCompressedSuffixes = {".gz",  ".tgz", ".xz",  ".zst",
                                                                 ".bz2", ".zip", ".deb", ".rpm"};

/// At least a quarter is saved.
bool is_worth_it(std::uint64_t size, std::uint64_t stored_size) { return stored_size <= size - size / 4; }

class HashingSink final : public Sink {
 public:
  Status write(Bytes data) override {
    hasher_.update(data);
    size_ += data.size();
    return {};
  }
  std::uint64_t size() const { return size_; }
  Digest finish() { return hasher_.finish(); }

 private:
  Hasher hasher_;
  std::uint64_t size_ = 0;
};

}  // namespace

bool may_compress(std::string_view name) {
  const std::string lower = ascii_lower(name);
  return std::none_of(kCompressedSuffixes.begin(), kCompressedSuffixes.end(),
                      [&](std::string_view suffix) { return lower.ends_with(suffix); });
}

struct StoredFormSink::State {
  explicit State(std::uint64_t content_size) : size(content_size), compressor(compressed, content_size) {}
  std::uint64_t size;
  std::uint64_t taken = 0;
  HashingSink compressed;
  archive::ZstdCompressSink compressor;
};

StoredFormSink::StoredFormSink(std::uint64_t size)
    : state_(size < kLeastCompressedBytes ? nullptr : std::make_unique<State>(size)) {}
StoredFormSink::~StoredFormSink() = default;

Status StoredFormSink::write(Bytes data) {
  if (!state_) return {};
  if (data.size() > state_->size - state_->taken) {
    state_.reset();
    return {};
  }
  state_->taken += data.size();
  TRY(state_->compressor.write(data));
  if (!is_worth_it(state_->size, state_->compressed.size())) state_.reset();
  return {};
}

Result<std::optional<bundle::StoredForm>> StoredFormSink::finish() {
  using Form = std::optional<bundle::StoredForm>;
  if (!state_ || state_->taken != state_->size) return Form();
  TRY(state_->compressor.finish());
  const std::uint64_t stored_size = state_->compressed.size();
  if (!is_worth_it(state_->size, stored_size)) return Form();
  return Form(bundle::StoredForm{state_->compressed.finish(), stored_size, archive::zstd_encoder()});
}

}  // namespace sealift::builder
