/// The one table of what the registry answers when it cannot answer (distribution-spec 1.1, "Error Codes").
#pragma once

#include <string_view>

#include "repo-server/http/message.hpp"

namespace sealift::repo_server {

enum class OciError {
  blob_unknown,
  digest_invalid,
  manifest_unknown,
  name_invalid,
  name_unknown,
  unsupported,
  invalid_request,
  unavailable,
  damaged
};

/// {"errors":[{"code":…,"message":…}]} with the status that belongs to the code.
http::Response oci_error(OciError error, std::string_view message);

/// What a failed preparation means to a registry client.
OciError to_oci_error(const Error& error);

}  // namespace sealift::repo_server
