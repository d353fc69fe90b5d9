#include "lib/crypto/certificate.hpp"

#include <algorithm>
#include <cstdlib>

#include "lib/crypto/ed25519.hpp"

/// Whatever stands in a PEM text, it is read or refused; a key that is read is written as the same key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string pem(reinterpret_cast<const char*>(data), size);
  if (const auto info = sealift::read_certificate(pem, "fuzz")) {
    if (info->fingerprint.size() != 64 || !std::ranges::is_sorted(info->names.dns) ||
        !std::ranges::is_sorted(info->names.addresses))
      std::abort();
    (void)sealift::is_signed_by(pem, pem);
  }
  (void)sealift::key_matches({pem, pem});
  if (const auto key = sealift::PublicKey::from_pem(pem, "fuzz")) {
    const auto again = sealift::PublicKey::from_pem(key->pem(), "again");
    if (!again || again->id() != key->id() || key->id().size() != 64) std::abort();
    if (key->verify("message", "")) std::abort();
    (void)key->verify("message", std::string(64, '\0'));
  }
  return 0;
}
