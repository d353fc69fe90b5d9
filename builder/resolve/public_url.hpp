/// URLs that may be written down: the lock, the signed bundle and its SBOM name what was fetched from where.
#pragma once

#include <string>

#include "lib/base/result.hpp"
#include "lib/bundle/lock.hpp"
#include "lib/bundle/spec.hpp"
#include "lib/net/url.hpp"

namespace sealift::builder {

/// invalid_argument for a URL with a login or with a query parameter that is a credential by its name: such
/// belong into a mirror rule.
Result<net::Url> parse_public_url(const std::string& url);

/// Every URL of bundle.yaml but those of mirror rules, before anything is fetched.
Status check_public_urls(const bundle::Spec& spec);

/// Every URL of a lock, which another version or a person may have written.
Status check_public_urls(const bundle::Lock& lock);

}  // namespace sealift::builder
