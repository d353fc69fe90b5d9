#include "repo-server/registry/errors.hpp"

#include "lib/base/json.hpp"

namespace sealift::repo_server {
namespace {

struct Row {
  int status;
  std::string_view code;
};

Row row_of(OciError error) {
  switch (error) {
    case OciError::blob_unknown:
      return {404, "BLOB_UNKNOWN"};
    case OciError::digest_invalid:
      return {400, "DIGEST_INVALID"};
    case OciError::manifest_unknown:
      return {404, "MANIFEST_UNKNOWN"};
    case OciError::name_invalid:
      return {400, "NAME_INVALID"};
    case OciError::name_unknown:
      return {404, "NAME_UNKNOWN"};
    case OciError::unsupported:
      return {405, "UNSUPPORTED"};
    case OciError::invalid_request:
      return {400, "UNSUPPORTED"};
    case OciError::unavailable:
      return {503, "UNAVAILABLE"};
    case OciError::damaged:
      return {500, "BLOB_DAMAGED"};
  }
  return {500, "UNKNOWN"};
}

}  // namespace

http::Response oci_error(OciError error, std::string_view message) {
  const Row row = row_of(error);
  http::Response response;
  response.status = row.status;
  response.content_type = "application/json";
  response.body = json::serialize(
      json::Object{{"errors", json::Array{json::Object{{"code", row.code}, {"message", message}}}}});
  if (error == OciError::unsupported) response.headers = "Allow: GET, HEAD\r\n";
  return response;
}

OciError to_oci_error(const Error& error) {
  switch (http::status_of(error)) {
    case 404:
      return OciError::blob_unknown;
    case 503:
      return OciError::unavailable;
    default:
      return OciError::damaged;
  }
}

}  // namespace sealift::repo_server
