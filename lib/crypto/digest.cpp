#include "lib/crypto/digest.hpp"

#include <algorithm>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/base/ascii.hpp"

namespace sealift {

namespace {

std::size_t hex_length(DigestAlgorithm algorithm) { return algorithm == DigestAlgorithm::sha256 ? 64 : 128; }

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::string_view to_string(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::sha256 ? "sha256" : "sha512";
}

Result<Digest> Digest::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon == std::string_view::npos || (name != "sha256" && name != "sha512")) {
    return fail(ErrorCode::invalid_argument, "\"{}\" is not a digest of the form sha256:<64 hex digits>",
                text.substr(0, 80));
  }
  const DigestAlgorithm algorithm = name == "sha256" ? DigestAlgorithm::sha256 : DigestAlgorithm::sha512;
  const std::string_view hex = text.substr(colon + 1);
  if (hex.size() != hex_length(algorithm) || !is_lower_hex(hex)) {
    return fail(ErrorCode::invalid_argument, "digest \"{}\": expected {} lower-case hex digits after \"{}:\"",
                text.substr(0, 160), hex_length(algorithm), name);
  }
  return Digest(algorithm, std::string(hex));
}

Result<Digest> Digest::from_hex(DigestAlgorithm algorithm, std::string_view hex) {
  return parse(std::string(to_string(algorithm)) + ":" + ascii_lower(hex.substr(0, 129)));
}

std::string Digest::str() const { return std::string(to_string(algorithm_)) + ":" + hex_; }

struct Hasher::State {
  explicit State(DigestAlgorithm chosen) : algorithm(chosen), context(EVP_MD_CTX_new()) { start(); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void start() {
    EVP_DigestInit_ex(context, algorithm == DigestAlgorithm::sha256 ? EVP_sha256() : EVP_sha512(), nullptr);
  }
  DigestAlgorithm algorithm;
  EVP_MD_CTX* context;
};

Hasher::Hasher(DigestAlgorithm algorithm) : state_(std::make_unique<State>(algorithm)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(Bytes data) { EVP_DigestUpdate(state_->context, data.data(), data.size()); }

Digest Hasher::finish() {
  std::array<std::byte, EVP_MAX_MD_SIZE> buffer{};
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(buffer.data()), &length);
  state_->start();
  return *Digest::from_hex(state_->algorithm, to_hex(Bytes(buffer.data(), length)));
}

Digest digest_of(Bytes data, DigestAlgorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(data);
  return hasher.finish();
}

VerifyingSink::VerifyingSink(Sink& to, Digest expected, std::uint64_t expected_size, std::string what)
    : to_(&to),
      expected_(std::move(expected)),
      expected_size_(expected_size),
      what_(std::move(what)),
      hasher_(expected_.algorithm()) {}

Status VerifyingSink::write(Bytes data) {
  if (data.size() > expected_size_ - written_) {
    return fail(ErrorCode::integrity, "{}: more than the expected {} bytes", what_, expected_size_);
  }
  hasher_.update(data);
  written_ += data.size();
  return to_->write(data);
}

Status VerifyingSink::finish() {
  if (written_ != expected_size_) {
    return fail(ErrorCode::integrity, "{}: expected {} bytes, found {}", what_, expected_size_, written_);
  }
  const Digest found = hasher_.finish();
  if (found != expected_) {
    return fail(ErrorCode::integrity, "{}: expected digest {}, found {}", what_, expected_.str(),
                found.str());
  }
  return {};
}

std::string to_hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text.push_back(kDigits[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back(kDigits[std::to_integer<unsigned>(byte) & 15]);
  }
  return text;
}

std::string to_base64(Bytes bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  // EVP_DecodeBlock trims white space and counts padding as zero bytes, so the shape is checked here.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const std::string_view body = text.substr(0, text.size() - padding);
  const bool clean = std::all_of(body.begin(), body.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
  if (text.size() % 4 != 0 || !clean || text.size() > (64U << 20)) {
    return fail(ErrorCode::invalid_argument, "not valid base64 ({} characters)", text.size());
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  if (!text.empty()) {
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // Without randomness nothing that follows would be safe.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) std::abort();
  return bytes;
}

}  // namespace sealift
