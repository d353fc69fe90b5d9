/// What a person should hear about an upstream's refusal.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.hpp"
#include "lib/net/transport.hpp"

namespace sealift::builder {

/// The error for an answer that is not 2xx: authentication (401, 403), not_found (404, 410), network (429,
/// 5xx and other passing ones), integrity (416), unsupported. `what` is the upstream name; `login_hint` says
/// where a login was looked for.
tl::unexpected<Error> upstream_error(const net::Response& response, std::string_view what,
                                     std::string_view login_hint = {});

/// What a registry's error body says ({"errors":[{"code","message"}]}), or its first line, at most 200
/// printable characters.
std::string upstream_message(std::string_view body);

}  // namespace sealift::builder
