/// Golden files: what is rendered is compared with tests/data/render/<name>; UPDATE_GOLDEN=1 accepts the new
/// text.
#pragma once

#include <string>

#include "installer/inventory/cluster.hpp"
#include "installer/render/versions.hpp"
#include "lib/base/result.hpp"

namespace sealift::installer {

void expect_golden(const std::string& name, const Result<std::string>& text);
inline void expect_golden(const std::string& name, const std::string& text) {
  expect_golden(name, Result<std::string>(text));
}

inline ReleaseVersion version(std::string_view text) { return ReleaseVersion::parse(text).value(); }

/// Three control planes, a worker with a label and a taint; `extra` is appended to the file.
Cluster sample_cluster(const std::string& extra = "");
/// The same with two hosts that only balance.
Cluster sample_cluster_with_balancers();

}  // namespace sealift::installer
