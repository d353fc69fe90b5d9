#include "lib/crypto/rnp_handles.hpp"

#include <algorithm>

namespace sealift::openpgp {

Result<Ffi> make_ffi(Timestamp now) {
  rnp_ffi_t raw = nullptr;
  if (rnp_ffi_create(&raw, RNP_KEYSTORE_GPG, RNP_KEYSTORE_GPG) != RNP_SUCCESS) {
    return fail(ErrorCode::internal, "cannot start the OpenPGP library");
  }
  Ffi ffi(raw);
  const auto seconds = now.time_since_epoch().count();
  if (seconds <= 0 || rnp_set_timestamp(raw, static_cast<std::uint64_t>(seconds)) != RNP_SUCCESS) {
    return fail(ErrorCode::invalid_argument, "{} is not a time OpenPGP can express", format_rfc3339(now));
  }
  return ffi;
}

Input memory_input(std::string_view content) {
  rnp_input_t raw = nullptr;
  rnp_input_from_memory(&raw, reinterpret_cast<const std::uint8_t*>(content.data()), content.size(), false);
  return Input(raw);
}

Output memory_output(std::size_t limit_bytes) {
  rnp_output_t raw = nullptr;
  rnp_output_to_memory(&raw, limit_bytes);
  return Output(raw);
}

std::string output_text(const Output& output) {
  std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (rnp_output_memory_get_buf(output.get(), &data, &size, false) != RNP_SUCCESS) return {};
  return std::string(reinterpret_cast<const char*>(data), size);
}

std::string take_string(char* text) {
  if (text == nullptr) return {};
  std::string copy(text);
  rnp_buffer_destroy(text);
  return copy;
}

std::string fingerprint_of(rnp_key_handle_t key) {
  char* text = nullptr;
  if (rnp_key_get_fprint(key, &text) != RNP_SUCCESS) return "unknown";
  return take_string(text);
}

std::string without_carriage_returns(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '\r'), text.end());
  return text;
}

}  // namespace sealift::openpgp
