/// Which files lie compressed in the bundle, and as what: decided when locking, from the bytes as they pass
/// by.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/base/streams.hpp"
#include "lib/bundle/lock.hpp"

namespace sealift::builder {

/// Smaller files stay as they are: there is nothing to win.
inline constexpr std::uint64_t kLeastCompressedBytes = 64U << 10;

/// False when the file's name shows that it is compressed already (.gz, .tgz, .xz, .zst, .bz2, .zip, .deb,
/// .rpm).
bool may_compress(std::string_view name);

/// Learns the stored form of a file of `size` bytes from its bytes; keeps none of them.
class StoredFormSink final : public Sink {
 public:
  explicit StoredFormSink(std::uint64_t size);
  ~StoredFormSink() override;
  /// Another size than announced, or too little saved, is no error: then there is no stored form.
  Status write(Bytes data) override;
  /// The form, or nullopt unless compression saves at least a quarter.
  Result<std::optional<bundle::StoredForm>> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;  // null once it cannot be worth it
};

}  // namespace sealift::builder
