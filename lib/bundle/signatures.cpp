#include "lib/bundle/signatures.hpp"

#include <algorithm>

#include "lib/bundle/layout.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::bundle {

namespace {
constexpr std::string_view kPrefix = "ed25519 ";
constexpr std::size_t kKeyIdDigits = 64;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kSignatureBase64 = 88;
constexpr std::size_t kLineBytes = 8 + kKeyIdDigits + 1 + kSignatureBase64;
}  // namespace

Result<std::vector<SignatureLine>> parse_signatures(std::string_view slot) {
  std::vector<SignatureLine> lines;
  std::string_view rest = slot;
  while (!rest.empty() && rest.front() != '\n') {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const auto damaged = [&] {
      return fail(ErrorCode::integrity, "{}: line {} is not \"ed25519 <key id> <base64 signature>\"",
                  kSignaturesPath, lines.size() + 1);
    };
    if (line.size() != kLineBytes || line.size() == rest.size() || !line.starts_with(kPrefix) ||
        line[kPrefix.size() + kKeyIdDigits] != ' ') {
      return damaged();
    }
    const std::string_view key_id = line.substr(kPrefix.size(), kKeyIdDigits);
    auto signature = from_base64(line.substr(kPrefix.size() + kKeyIdDigits + 1));
    if (!Digest::parse(fmt::format("sha256:{}", key_id)) || !signature ||
        signature->size() != kSignatureBytes) {
      return damaged();
    }
    const bool twice =
        std::any_of(lines.begin(), lines.end(), [&](const auto& other) { return other.key_id == key_id; });
    // base64 has spare bits at its end: only the one canonical spelling is accepted.
    if (twice || to_base64(as_bytes(*signature)) != line.substr(kPrefix.size() + kKeyIdDigits + 1))
      return damaged();
    lines.push_back({std::string(key_id), std::move(*signature)});
    rest.remove_prefix(kLineBytes + 1);
  }
  if (rest.find_first_not_of('\n') != std::string_view::npos) {
    return fail(ErrorCode::integrity, "{}: expected only newlines after the signatures", kSignaturesPath);
  }
  return lines;
}

Result<std::string> write_signatures(const std::vector<SignatureLine>& lines) {
  std::string slot;
  for (const SignatureLine& line : lines) {
    slot += fmt::format("{}{} {}\n", kPrefix, line.key_id, to_base64(as_bytes(line.signature)));
  }
  if (slot.size() > kSignatureSlotBytes) {
    return fail(ErrorCode::invalid_argument, "{} signatures do not fit into the slot of {} bytes",
                lines.size(), kSignatureSlotBytes);
  }
  slot.resize(kSignatureSlotBytes, '\n');
  return slot;
}

Status add_signature(std::vector<SignatureLine>& lines, const PrivateKey& key,
                     std::string_view contents_text) {
  TRY_ASSIGN(std::string signature, key.sign(contents_text));
  const std::string& id = key.public_key().id();
  std::erase_if(lines, [&](const SignatureLine& line) { return line.key_id == id; });
  lines.push_back({id, std::move(signature)});
  std::sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.key_id < b.key_id; });
  return {};
}

}  // namespace sealift::bundle
