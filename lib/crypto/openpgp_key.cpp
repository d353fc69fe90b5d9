#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crypto/openpgp.hpp"
#include "lib/crypto/rnp_handles.hpp"

namespace sealift::openpgp {
namespace {

constexpr std::size_t kMaxKeyBytes = 1U << 20;
constexpr std::size_t kMaxSignedBytes = 32U << 20;
/// apt refuses SHA-1 and weaker; SHA-512 is what the distributions sign with.
constexpr const char* kHash = "SHA512";

void wipe(std::string& text) { explicit_bzero(text.data(), text.size()); }

Result<std::string> export_key(rnp_key_handle_t key, std::uint32_t flags) {
  const Output output = memory_output(kMaxKeyBytes);
  if (!output || rnp_key_export(key, output.get(), flags | RNP_KEY_EXPORT_SUBKEYS) != RNP_SUCCESS) {
    return fail(ErrorCode::internal, "cannot export an OpenPGP key");
  }
  return output_text(output);
}

/// The first key of the store that has a secret part and is a primary key.
Result<KeyHandle> only_secret_key(rnp_ffi_t ffi, const std::string& what) {
  rnp_identifier_iterator_t iterator = nullptr;
  if (rnp_identifier_iterator_create(ffi, &iterator, "fingerprint") != RNP_SUCCESS) {
    return fail(ErrorCode::internal, "cannot list the keys of {}", what);
  }
  const RnpOwner<rnp_identifier_iterator_t, rnp_identifier_iterator_destroy> owner(iterator);
  KeyHandle found;
  const char* fingerprint = nullptr;
  while (rnp_identifier_iterator_next(iterator, &fingerprint) == RNP_SUCCESS && fingerprint != nullptr) {
    rnp_key_handle_t raw = nullptr;
    if (rnp_locate_key(ffi, "fingerprint", fingerprint, &raw) != RNP_SUCCESS || raw == nullptr) continue;
    KeyHandle key(raw);
    bool primary = false;
    bool secret = false;
    rnp_key_is_primary(raw, &primary);
    rnp_key_have_secret(raw, &secret);
    if (!primary || !secret) continue;
    if (found) return fail(ErrorCode::invalid_argument, "{} holds several secret keys; keep one", what);
    found = std::move(key);
  }
  if (!found) return fail(ErrorCode::invalid_argument, "{} holds no OpenPGP secret key", what);
  return found;
}

Status import_secret(rnp_ffi_t ffi, std::string_view content, const std::string& what) {
  if (content.empty())
    return fail(ErrorCode::invalid_argument, "{} is empty, not an OpenPGP secret key", what);
  const Input input = memory_input(content);
  const auto status =
      rnp_import_keys(ffi, input.get(), RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS, nullptr);
  if (status == RNP_SUCCESS) return {};
  return fail(ErrorCode::invalid_argument, "{} is not an OpenPGP secret key: {}", what,
              rnp_result_to_string(status));
}

Result<std::string> read_secret_file(const fs::path& path) {
  TRY_ASSIGN(const FileDescriptor file, open_for_reading(path));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(errno, path.string());
  if ((info.st_mode & 077) != 0) {
    return fail(ErrorCode::untrusted, "{}: mode {:04o} lets others use this secret key; run: chmod 600 {}",
                path.string(), info.st_mode & 07777, path.string());
  }
  if (static_cast<std::uint64_t>(info.st_size) > kMaxKeyBytes) {
    return fail(ErrorCode::invalid_argument, "{} is too large for a secret key", path.string());
  }
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  TRY(read_exactly_at(file, 0, std::as_writable_bytes(std::span(content))));
  return content;
}

Result<std::string> generate_key(KeyAlgorithm algorithm, const std::string& user_id, Timestamp created) {
  TRY_ASSIGN(const Ffi ffi, make_ffi(created));
  rnp_op_generate_t raw = nullptr;
  if (rnp_op_generate_create(&raw, ffi.get(), algorithm == KeyAlgorithm::ed25519 ? "EDDSA" : "RSA") !=
      RNP_SUCCESS) {
    return fail(ErrorCode::internal, "cannot start generating an OpenPGP key");
  }
  const GenerateOperation operation(raw);
  auto status = rnp_op_generate_set_userid(raw, user_id.c_str());
  if (status == RNP_SUCCESS) status = rnp_op_generate_set_hash(raw, kHash);
  if (status == RNP_SUCCESS) status = rnp_op_generate_set_expiration(raw, 0);
  if (status == RNP_SUCCESS) status = rnp_op_generate_add_usage(raw, "certify");
  if (status == RNP_SUCCESS) status = rnp_op_generate_add_usage(raw, "sign");
  if (status == RNP_SUCCESS && algorithm == KeyAlgorithm::rsa4096)
    status = rnp_op_generate_set_bits(raw, 4096);
  if (status == RNP_SUCCESS) status = rnp_op_generate_execute(raw);
  rnp_key_handle_t raw_key = nullptr;
  if (status == RNP_SUCCESS) status = rnp_op_generate_get_key(raw, &raw_key);
  const KeyHandle key(raw_key);
  if (status != RNP_SUCCESS) {
    return fail(ErrorCode::invalid_argument, "cannot generate an OpenPGP key for '{}': {}", user_id,
                rnp_result_to_string(status));
  }
  return export_key(key.get(), RNP_KEY_EXPORT_SECRET | RNP_KEY_EXPORT_ARMORED);
}

}  // namespace

struct SecretKey::State {
  std::string secret;  // armoured
  std::string fingerprint;
  std::string user_id;
  Timestamp created{};
  std::string public_binary;
  std::string public_armoured;

  ~State() { wipe(secret); }
};

SecretKey::SecretKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SecretKey::SecretKey(SecretKey&&) noexcept = default;
SecretKey& SecretKey::operator=(SecretKey&&) noexcept = default;
SecretKey::~SecretKey() = default;

const std::string& SecretKey::fingerprint() const { return state_->fingerprint; }
const std::string& SecretKey::user_id() const { return state_->user_id; }
Timestamp SecretKey::created() const { return state_->created; }
const std::string& SecretKey::public_key() const { return state_->public_binary; }
const std::string& SecretKey::armoured_public_key() const { return state_->public_armoured; }

Result<SecretKey> SecretKey::load(std::string_view content, const std::string& what) {
  TRY_ASSIGN(const Ffi ffi, make_ffi(now()));
  TRY(import_secret(ffi.get(), content, what));
  TRY_ASSIGN(const KeyHandle key, only_secret_key(ffi.get(), what));
  bool is_protected = true;
  if (rnp_key_is_protected(key.get(), &is_protected) != RNP_SUCCESS || is_protected) {
    return fail(
        ErrorCode::unsupported,
        "{} is protected by a passphrase; create works unattended and needs an unprotected key, mode 0600",
        what);
  }
  auto state = std::make_unique<State>();
  state->fingerprint = fingerprint_of(key.get());
  char* user_id = nullptr;
  if (rnp_key_get_primary_uid(key.get(), &user_id) == RNP_SUCCESS) state->user_id = take_string(user_id);
  std::uint32_t created = 0;
  rnp_key_get_creation(key.get(), &created);
  state->created = Timestamp(std::chrono::seconds(created));
  TRY_ASSIGN(state->secret, export_key(key.get(), RNP_KEY_EXPORT_SECRET | RNP_KEY_EXPORT_ARMORED));
  TRY_ASSIGN(state->public_binary, export_key(key.get(), RNP_KEY_EXPORT_PUBLIC));
  TRY_ASSIGN(auto armoured, export_key(key.get(), RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_ARMORED));
  state->public_armoured = without_carriage_returns(std::move(armoured));
  return SecretKey(std::move(state));
}

Result<SecretKey> SecretKey::generate(KeyAlgorithm algorithm, const std::string& user_id, Timestamp created) {
  TRY_ASSIGN(std::string secret, generate_key(algorithm, user_id, created));
  auto key = load(secret, "the new key");
  wipe(secret);
  return key;
}

Result<SecretKey> SecretKey::from_file(const fs::path& path) {
  TRY_ASSIGN(std::string content, read_secret_file(path));
  auto key = load(content, path.string());
  wipe(content);
  return key;
}

Status SecretKey::write_file(const fs::path& path) const {
  TRY_ASSIGN(const FileDescriptor file, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  std::string text = without_carriage_returns(state_->secret);
  auto written = write_exactly_at(file, 0, as_bytes(text));
  wipe(text);
  TRY(written);
  if (::fsync(file.get()) != 0) return fail_errno(errno, fmt::format("writing {}", path.string()));
  return {};
}

namespace {

enum class SignatureForm { cleartext, detached };

/// A fresh store for each signature: its clock is the signing time, so nothing of the present gets into the
/// bytes.
Result<std::string> sign(std::string_view secret, const std::string& what, std::string_view document,
                         Timestamp time, SignatureForm form) {
  TRY_ASSIGN(const Ffi ffi, make_ffi(time));
  TRY(import_secret(ffi.get(), secret, what));
  TRY_ASSIGN(const KeyHandle key, only_secret_key(ffi.get(), what));
  const Input input = memory_input(document);
  const Output output = memory_output(kMaxSignedBytes);
  rnp_op_sign_t raw = nullptr;
  auto status = form == SignatureForm::cleartext
                    ? rnp_op_sign_cleartext_create(&raw, ffi.get(), input.get(), output.get())
                    : rnp_op_sign_detached_create(&raw, ffi.get(), input.get(), output.get());
  const SignOperation operation(raw);
  if (status == RNP_SUCCESS && form == SignatureForm::detached) status = rnp_op_sign_set_armor(raw, true);
  if (status == RNP_SUCCESS) status = rnp_op_sign_set_hash(raw, kHash);
  if (status == RNP_SUCCESS) {
    status = rnp_op_sign_set_creation_time(raw, static_cast<std::uint32_t>(time.time_since_epoch().count()));
  }
  if (status == RNP_SUCCESS) status = rnp_op_sign_set_expiration_time(raw, 0);
  if (status == RNP_SUCCESS) status = rnp_op_sign_add_signature(raw, key.get(), nullptr);
  if (status == RNP_SUCCESS) status = rnp_op_sign_execute(raw);
  if (status != RNP_SUCCESS) {
    return fail(ErrorCode::internal, "cannot sign with key {}: {}", what, rnp_result_to_string(status));
  }
  return without_carriage_returns(output_text(output));
}

Status check_signable(std::string_view document, Timestamp time, const SecretKey& key) {
  if (time < key.created()) {
    return fail(ErrorCode::invalid_argument, "cannot sign for {}: key {} was created later, at {}",
                format_rfc3339(time), key.fingerprint(), format_rfc3339(key.created()));
  }
  if (document.empty()) return fail(ErrorCode::internal, "an empty document is to be signed");
  if (document.find('\r') != std::string_view::npos) {
    return fail(ErrorCode::internal, "a document to be signed has carriage returns");
  }
  return {};
}

}  // namespace

Result<std::string> SecretKey::sign_cleartext(std::string_view document, Timestamp time) const {
  TRY(check_signable(document, time, *this));
  // The newline before the signature block is not part of the text (RFC 4880, 7.1), and RNP always writes
  // one.
  if (document.ends_with('\n')) document.remove_suffix(1);
  return sign(state_->secret, state_->fingerprint, document, time, SignatureForm::cleartext);
}

Result<std::string> SecretKey::sign_detached(std::string_view document, Timestamp time) const {
  TRY(check_signable(document, time, *this));
  return sign(state_->secret, state_->fingerprint, document, time, SignatureForm::detached);
}

}  // namespace sealift::openpgp
