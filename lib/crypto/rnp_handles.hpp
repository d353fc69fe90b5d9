/// RNP's C handles as owners. Internal to openpgp_*.cpp: nothing else sees <rnp/rnp.h>.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"

namespace sealift::openpgp {

/// Calls RNP's own destroyer; its status says nothing useful.
template <auto destroy>
struct RnpDeleter {
  template <typename T>
  void operator()(T* handle) const {
    destroy(handle);
  }
};

template <typename Handle, auto destroy>
using RnpOwner = std::unique_ptr<std::remove_pointer_t<Handle>, RnpDeleter<destroy>>;

using Ffi = RnpOwner<rnp_ffi_t, rnp_ffi_destroy>;
using Input = RnpOwner<rnp_input_t, rnp_input_destroy>;
using Output = RnpOwner<rnp_output_t, rnp_output_destroy>;
using KeyHandle = RnpOwner<rnp_key_handle_t, rnp_key_handle_destroy>;
using SignatureHandle = RnpOwner<rnp_signature_handle_t, rnp_signature_handle_destroy>;
using VerifyOperation = RnpOwner<rnp_op_verify_t, rnp_op_verify_destroy>;
using SignOperation = RnpOwner<rnp_op_sign_t, rnp_op_sign_destroy>;
using GenerateOperation = RnpOwner<rnp_op_generate_t, rnp_op_generate_destroy>;

/// An empty key store whose idea of the present is `now`; silent.
Result<Ffi> make_ffi(Timestamp now);

/// Reads from memory that must outlive it; not empty.
Input memory_input(std::string_view content);
/// At most `limit_bytes`.
Output memory_output(std::size_t limit_bytes);
std::string output_text(const Output& output);

/// Copies and frees a string that RNP allocated.
std::string take_string(char* text);
std::string fingerprint_of(rnp_key_handle_t key);

/// Plain '\n' ends of line: RNP writes CRLF in armour, which apt refuses in a signed-by file.
std::string without_carriage_returns(std::string text);

}  // namespace sealift::openpgp
