#include <algorithm>
#include <array>
#include <optional>

#include "lib/crypto/openpgp.hpp"
#include "lib/crypto/rnp_handles.hpp"

namespace sealift::openpgp {
namespace {

constexpr std::uint64_t kMaxKeyringBytes = 16U << 20;
constexpr std::size_t kMaxDocumentBytes = 16U << 20;
constexpr std::string_view kBeginMessage = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kBeginSignature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kEndSignature = "-----END PGP SIGNATURE-----";
constexpr std::string_view kBeginKeys = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kEndKeys = "-----END PGP PUBLIC KEY BLOCK-----";

std::string_view without_trailing_space(std::string_view line) {
  const auto end = line.find_last_not_of(" \t\r");
  return end == std::string_view::npos ? std::string_view() : line.substr(0, end + 1);
}

/// Takes the next line off `rest`.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

/// A parser more lenient than ours must not find another message in it: the document is exactly one cleartext
/// message, its only armour headers are "Hash:", and nothing stands before or after it.
Status check_frame(std::string_view document, std::string_view what) {
  const auto refuse = [what](std::string_view why) -> Status {
    return fail(ErrorCode::untrusted, "{} is not a cleartext-signed OpenPGP document: {}", what, why);
  };
  std::string_view rest = document;
  if (without_trailing_space(next_line(rest)) != kBeginMessage) {
    return refuse(fmt::format("it does not begin with {}", kBeginMessage));
  }
  for (;;) {
    const auto header = without_trailing_space(next_line(rest));
    if (header.empty()) break;
    if (!header.starts_with("Hash: ")) return refuse("it has an armour header other than Hash");
  }
  bool in_signature = false;
  bool ended = false;
  while (!rest.empty()) {
    const auto line = without_trailing_space(next_line(rest));
    if (ended && !line.empty()) return refuse("text follows the signature");
    if (line == kBeginMessage) return refuse("a second message begins inside it");
    if (line == kBeginSignature) {
      if (in_signature) return refuse("it has two signature blocks");
      in_signature = true;
    }
    if (line == kEndSignature) {
      if (!in_signature) return refuse("the signature ends before it begins");
      ended = true;
    }
  }
  return ended ? Status() : refuse("the signature block is missing or cut off");
}

/// Trailing blanks are not covered by a cleartext signature (RFC 4880, 7.1): drop them, so that nobody can
/// change how the text is parsed by adding some.
std::string without_unsigned_blanks(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    clean += without_trailing_space(next_line(text));
    clean += '\n';
  }
  return clean;
}

Status import_block(rnp_ffi_t ffi, std::string_view block, const std::string& what) {
  if (block.empty()) return fail(ErrorCode::invalid_argument, "{} is empty, not an OpenPGP key ring", what);
  const Input input = memory_input(block);
  const auto status =
      rnp_import_keys(ffi, input.get(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_PERMISSIVE, nullptr);
  if (status != RNP_SUCCESS) {
    return fail(ErrorCode::invalid_argument, "{} is not an OpenPGP key ring: {}", what,
                rnp_result_to_string(status));
  }
  return {};
}

Status import_all(rnp_ffi_t ffi, std::string_view content, const std::string& what) {
  if (content.find(kBeginKeys) == std::string_view::npos) return import_block(ffi, content, what);
  for (;;) {
    const auto begin = content.find(kBeginKeys);
    if (begin == std::string_view::npos) return {};
    const auto end = content.find(kEndKeys, begin);
    if (end == std::string_view::npos) {
      return fail(ErrorCode::invalid_argument, "{}: an armoured key block has no end; the file is cut off",
                  what);
    }
    TRY(import_block(ffi, content.substr(begin, end + kEndKeys.size() - begin), what));
    content.remove_prefix(end + kEndKeys.size());
  }
}

/// A subkey is as trustworthy as its primary key.
Result<KeyHandle> primary_of(rnp_ffi_t ffi, rnp_key_handle_t key) {
  char* fingerprint = nullptr;
  bool is_primary = false;
  if (rnp_key_is_primary(key, &is_primary) == RNP_SUCCESS && is_primary) return KeyHandle();
  if (rnp_key_get_primary_fprint(key, &fingerprint) != RNP_SUCCESS) {
    return fail(ErrorCode::untrusted, "its subkey {} has no primary key in the key ring",
                fingerprint_of(key));
  }
  const std::string text = take_string(fingerprint);
  rnp_key_handle_t primary = nullptr;
  if (rnp_locate_key(ffi, "fingerprint", text.c_str(), &primary) != RNP_SUCCESS || primary == nullptr) {
    return fail(ErrorCode::untrusted, "the primary key {} of its subkey is not in the key ring", text);
  }
  return KeyHandle(primary);
}

Status check_key(rnp_key_handle_t key) {
  bool revoked = true;
  bool expired = true;
  if (rnp_key_is_revoked(key, &revoked) != RNP_SUCCESS || revoked) {
    return fail(ErrorCode::untrusted, "key {} is revoked", fingerprint_of(key));
  }
  if (rnp_key_is_expired(key, &expired) != RNP_SUCCESS || expired) {
    std::uint32_t created = 0;
    std::uint32_t lifetime = 0;
    rnp_key_get_creation(key, &created);
    rnp_key_get_expiration(key, &lifetime);
    return fail(ErrorCode::untrusted, "key {} expired on {}; get the repository's current key ring",
                fingerprint_of(key),
                format_rfc3339(Timestamp(std::chrono::seconds(std::uint64_t{created} + lifetime))));
  }
  return {};
}

std::string key_id_of(rnp_op_verify_signature_t signature) {
  rnp_signature_handle_t handle = nullptr;
  if (rnp_op_verify_signature_get_handle(signature, &handle) != RNP_SUCCESS) return "unknown";
  const SignatureHandle owner(handle);
  char* key_id = nullptr;
  return rnp_signature_get_keyid(handle, &key_id) == RNP_SUCCESS && key_id != nullptr ? take_string(key_id)
                                                                                      : "unknown";
}

/// Why one signature does not count, or the fingerprint of the primary key when it is good.
Result<std::string> judge(rnp_ffi_t ffi, rnp_op_verify_signature_t signature, Timestamp now) {
  const auto status = rnp_op_verify_signature_get_status(signature);
  const std::string key_id = key_id_of(signature);
  rnp_key_handle_t raw_key = nullptr;
  if (rnp_op_verify_signature_get_key(signature, &raw_key) != RNP_SUCCESS || raw_key == nullptr) {
    return fail(ErrorCode::not_found, "no key for the signature by key id {}", key_id);
  }
  const KeyHandle key(raw_key);
  std::uint32_t created = 0;
  rnp_op_verify_signature_get_times(signature, &created, nullptr);
  const Timestamp signed_at{std::chrono::seconds(created)};
  if (signed_at > now) {
    return fail(ErrorCode::untrusted,
                "the signature by key id {} was made in the future, at {}; this machine's clock says {}",
                key_id, format_rfc3339(signed_at), format_rfc3339(now));
  }
  TRY_ASSIGN(const KeyHandle primary, primary_of(ffi, key.get()));
  if (primary) TRY(check_key(primary.get()));
  TRY(check_key(key.get()));
  if (status == RNP_ERROR_SIGNATURE_EXPIRED) {
    return fail(ErrorCode::untrusted, "the signature by key id {} has expired", key_id);
  }
  if (status != RNP_SUCCESS) {
    return fail(ErrorCode::untrusted,
                "bad signature by key id {}: the document was changed or signed wrongly ({})", key_id,
                rnp_result_to_string(status));
  }
  return fingerprint_of(primary ? primary.get() : key.get());
}

/// One good signature is enough; else the message says why each one is not.
Result<std::vector<std::string>> judge_all(rnp_ffi_t ffi, rnp_op_verify_t operation, const Keyring& keyring,
                                           Timestamp now, std::string_view what) {
  std::size_t count = 0;
  if (rnp_op_verify_get_signature_count(operation, &count) != RNP_SUCCESS || count == 0) {
    return fail(ErrorCode::untrusted, "{} is not signed", what);
  }
  std::vector<std::string> good;
  std::string reasons;
  for (std::size_t i = 0; i < count; ++i) {
    rnp_op_verify_signature_t signature = nullptr;
    if (rnp_op_verify_get_signature_at(operation, i, &signature) != RNP_SUCCESS) continue;
    auto verdict = judge(ffi, signature, now);
    if (!verdict) {
      reasons += (reasons.empty() ? "" : "; ") + verdict.error().message();
    } else if (std::find(good.begin(), good.end(), *verdict) == good.end()) {
      good.push_back(std::move(*verdict));
    }
  }
  if (good.empty()) {
    return fail(ErrorCode::untrusted, "{} has no good signature by a key of {}: {}", what, keyring.what(),
                reasons);
  }
  return good;
}

/// `begin` starts RNP's operation on the document. Returns the fingerprints of the keys that made good
/// signatures.
template <typename Begin>
Result<std::vector<std::string>> check_document(std::string_view ring, const Keyring& keyring, Timestamp now,
                                                std::string_view what, Begin begin) {
  TRY_ASSIGN(const Ffi ffi, make_ffi(now));
  TRY(import_all(ffi.get(), ring, keyring.what()));
  rnp_op_verify_t raw = nullptr;
  if (begin(ffi.get(), &raw) != RNP_SUCCESS) {
    return fail(ErrorCode::internal, "cannot start checking {}", what);
  }
  const VerifyOperation operation(raw);
  // Its own verdict comes last on purpose: it accepts keys that expired since, and an unsigned document.
  const auto status = rnp_op_verify_execute(raw);
  TRY_ASSIGN(auto fingerprints, judge_all(ffi.get(), raw, keyring, now, what));
  if (status != RNP_SUCCESS) {
    return fail(ErrorCode::untrusted, "{} is not a whole signed document: {}", what,
                rnp_result_to_string(status));
  }
  return fingerprints;
}

/// RNP cannot read from nothing, so an empty file is refused here.
Status check_size(std::string_view document, std::string_view what) {
  if (document.empty()) return fail(ErrorCode::untrusted, "{} is not signed: the file is empty", what);
  if (document.size() <= kMaxDocumentBytes) return {};
  return fail(ErrorCode::untrusted, "{} has {} bytes; a signed index may have at most {}", what,
              document.size(), kMaxDocumentBytes);
}

}  // namespace

Result<Keyring> Keyring::parse(std::string content, std::string what) {
  if (content.size() > kMaxKeyringBytes) {
    return fail(ErrorCode::invalid_argument, "{} is too large for a key ring", what);
  }
  if (content.size() > 12 && content.compare(8, 4, "KBXf") == 0) {
    return fail(ErrorCode::invalid_argument,
                "{} is a GnuPG keybox; export it: gpg --no-default-keyring --keyring {} --export > keys.gpg",
                what, what);
  }
  TRY_ASSIGN(const Ffi ffi, make_ffi(sealift::now()));
  TRY(import_all(ffi.get(), content, what));
  std::size_t count = 0;
  if (rnp_get_public_key_count(ffi.get(), &count) != RNP_SUCCESS || count == 0) {
    return fail(ErrorCode::invalid_argument, "{} holds no OpenPGP public key", what);
  }
  return Keyring(std::move(content), std::move(what));
}

Result<Keyring> Keyring::from_file(const fs::path& path) {
  TRY_ASSIGN(std::string content, read_file(path, kMaxKeyringBytes));
  return parse(std::move(content), path.string());
}

Result<SignedText> verify_cleartext(std::string_view document, const Keyring& keyring, Timestamp now,
                                    std::string_view what) {
  TRY(check_size(document, what));
  TRY(check_frame(document, what));
  const Input input = memory_input(document);
  const Output output = memory_output(kMaxDocumentBytes);
  TRY_ASSIGN(
      auto fingerprints,
      check_document(keyring.content_, keyring, now, what, [&](rnp_ffi_t ffi, rnp_op_verify_t* operation) {
        return rnp_op_verify_create(operation, ffi, input.get(), output.get());
      }));
  return SignedText{without_unsigned_blanks(output_text(output)), std::move(fingerprints)};
}

Result<SignedText> verify_detached(std::string_view document, std::string_view signature,
                                   const Keyring& keyring, Timestamp now, std::string_view what) {
  TRY(check_size(document, what));
  TRY(check_size(signature, what));
  const Input data = memory_input(document);
  const Input signature_input = memory_input(signature);
  TRY_ASSIGN(
      auto fingerprints,
      check_document(keyring.content_, keyring, now, what, [&](rnp_ffi_t ffi, rnp_op_verify_t* operation) {
        return rnp_op_verify_detached_create(operation, ffi, data.get(), signature_input.get());
      }));
  return SignedText{std::string(document), std::move(fingerprints)};
}

}  // namespace sealift::openpgp
