/// Which repositories and tags the mounted bundles hold, and which of them a client means.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/crypto/digest.hpp"
#include "repo-server/mount/overlay.hpp"

namespace sealift::repo_server {

struct Repository {
  std::string name;                                 ///< full: "registry.k8s.io/pause"
  std::map<std::string, Digest, std::less<>> tags;  ///< in lexical order
};

class Catalog {
 public:
  explicit Catalog(const Overlay& overlay);

  /// By full name, in lexical order.
  const std::map<std::string, Repository, std::less<>>& repositories() const { return repositories_; }

  /// What find() saw: exactly one repository, or none and how many would have fitted.
  struct Match {
    const Repository* repository = nullptr;
    std::vector<std::string> candidates;  ///< full names, when more than one fits
  };

  /// `name` from the request's path; `upstream` is containerd's ns= (empty: none or our own address).
  /// With an upstream only that registry's repository, or a full name in the path, fits. Without one, a full
  /// name, or else a path that ends exactly one known repository, fits: so `host:5000/pause` finds
  /// registry.k8s.io/pause.
  Match find(std::string_view name, std::string_view upstream) const;

 private:
  const Repository* find_full(const std::string& name) const;

  std::map<std::string, Repository, std::less<>> repositories_;
  std::unordered_map<std::string, std::vector<const Repository*>> by_path_;    // without the registry's host
  std::unordered_map<std::string, std::vector<const Repository*>> by_suffix_;  // shorter tails of the path
};

}  // namespace sealift::repo_server
