#include <cstdlib>

#include "builder/fetch/registry_auth.hpp"
#include "builder/fetch/upstream_error.hpp"
#include "lib/net/retry.hpp"
#include "lib/net/url.hpp"

/// Headers and error bodies of upstreams.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (sealift::builder::parse_challenges(text).size() > 16) std::abort();
  for (const char c : sealift::builder::upstream_message(text)) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) >= 0x7F) std::abort();
  }
  (void)sealift::net::parse_retry_after(text, {});
  const auto base = sealift::net::Url::parse("https://host:8443/a/b?c=d");
  if (const auto resolved = base->resolve(text)) {
    const auto again = sealift::net::Url::parse(resolved->reveal());
    if (!again || again->reveal() != resolved->reveal()) std::abort();
    (void)resolved->filename();
  }
  return 0;
}
