/// Where things are really fetched: mirror rules rewrite upstream hosts; names in the bundle stay the
/// upstream ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/result.hpp"
#include "lib/bundle/spec.hpp"
#include "lib/net/url.hpp"

namespace sealift::builder {

/// A repository of a registry that can be asked: GET <base>/v2/<repository>/...
struct RegistryLocation {
  std::string base;        ///< "https://registry-1.docker.io", "http://127.0.0.1:5000"
  std::string host;        ///< "registry-1.docker.io", as credentials are looked up
  std::string repository;  ///< "library/nginx", or "docker.io/library/nginx" behind a mirror
};

/// Rules of two kinds, both longest match first:
///   registry   `k8s.gcr.io: 127.0.0.2:5443/k8s.gcr.io`, `docker.io/library: http://mirror.example:5000/hub`
///   URL prefix `https://dl.k8s.io/: https://files.example.com/k8s/`
/// The replacement of a URL prefix may have a login and a query, which every URL made of it gets.
/// A registry replacement is reached over https, unless it is written `http://...`: plain http is never
/// guessed.
class MirrorMap {
 public:
  /// Later rules win over earlier ones with the same `from`. Errors (invalid_argument) quote the rule.
  static Result<MirrorMap> make(const std::vector<bundle::MirrorRule>& rules);

  /// `registry` and `repository` as in oci::Reference. Without a rule, docker.io is registry-1.docker.io.
  RegistryLocation locate(const std::string& registry, const std::string& repository) const;
  Result<net::Url> map(std::string_view url) const;

 private:
  struct Replacement {
    std::string prefix;  ///< ends in '/', without query
    std::string query;   ///< without '?'; may be empty
  };
  static Result<std::pair<std::string, Replacement>> read_prefix_rule(const bundle::MirrorRule& rule);

  std::vector<std::pair<std::string, RegistryLocation>> registries_;
  std::vector<std::pair<std::string, Replacement>> prefixes_;
};

}  // namespace sealift::builder
