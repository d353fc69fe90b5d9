#include <cstdlib>

#include "lib/crypto/openpgp.hpp"

namespace openpgp = sealift::openpgp;

namespace {

std::string sample(const char* name) {
  auto text = sealift::read_file(sealift::fs::path(OPENPGP_TEST_DATA) / name, 1U << 20);
  if (!text) std::abort();
  return std::move(*text);
}

}  // namespace

/// A ring is refused when it is read, or it can be used: a document is then trusted or not, and its text is
/// the signed one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kDocument = sample("good.InRelease");
  static const std::string kText = sample("Release");
  const auto ring = openpgp::Keyring::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!ring) {
    if (ring.error().code() != sealift::ErrorCode::invalid_argument) std::abort();
    return 0;
  }
  const auto now = *sealift::parse_rfc3339("2026-01-01T00:00:00Z");
  const auto document = openpgp::verify_cleartext(kDocument, *ring, now, "InRelease");
  if (document ? document->text != kText || document->fingerprints.size() != 1
               : document.error().code() != sealift::ErrorCode::untrusted)
    std::abort();
  return 0;
}
