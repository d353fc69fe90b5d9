#include <cstdlib>

#include "lib/crypto/openpgp.hpp"

namespace openpgp = sealift::openpgp;

namespace {

/// What the keys of the ring signed, once and for all: the secret keys no longer exist.
struct Signed {
  openpgp::Keyring ring;
  std::string text;

  static Signed load() {
    const sealift::fs::path data = OPENPGP_TEST_DATA;
    auto ring = openpgp::Keyring::from_file(data / "both.asc");
    auto text = sealift::read_file(data / "Release", 1U << 20);
    if (!ring || !text) std::abort();
    return {std::move(*ring), std::move(*text)};
  }
};

}  // namespace

/// Of all documents only one text can be vouched for, however it is wrapped.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Signed kSigned = Signed::load();
  const auto now = *sealift::parse_rfc3339("2026-01-01T00:00:00Z");
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto document = openpgp::verify_cleartext(input, kSigned.ring, now, "fuzz");
  if (document ? document->text != kSigned.text || document->fingerprints.empty()
               : document.error().code() != sealift::ErrorCode::untrusted)
    std::abort();
  // Nothing stands around what is trusted, where a parser more lenient than ours could find another message.
  constexpr std::string_view kBegin = "-----BEGIN PGP SIGNED MESSAGE-----";
  if (document && input.rfind(kBegin) != 0) std::abort();
  const auto beside = openpgp::verify_detached(kSigned.text, input, kSigned.ring, now, "fuzz");
  if (!beside && beside.error().code() != sealift::ErrorCode::untrusted) std::abort();
  if (openpgp::verify_detached("Another text\n", input, kSigned.ring, now, "fuzz")) std::abort();
  return 0;
}
