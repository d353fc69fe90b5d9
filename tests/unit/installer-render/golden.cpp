#include "golden.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

std::string sample(const std::string& more_hosts, const std::string& extra) {
  return R"(apiVersion: sealift/v1
kind: Cluster
metadata: {name: prod}
endpoint: {address: 192.168.2.100, name: api.prod.example}
hosts:
  - {name: m1, address: 192.168.2.11, roles: [control-plane]}
  - {name: m2, address: 192.168.2.12, roles: [control-plane]}
  - {name: m3, address: 192.168.2.13, roles: [control-plane]}
  - {name: w1, address: 192.168.2.21, roles: [worker], labels: {disk: ssd}, taints: [{key: gpu, value: "yes"}]}
)" + more_hosts +
         extra;
}

Cluster parsed(const std::string& text) {
  auto cluster = parse_cluster(text, "cluster.yaml");
  EXPECT_TRUE(cluster) << cluster.error().message();
  return cluster ? *cluster : Cluster{};
}

}  // namespace

void expect_golden(const std::string& name, const Result<std::string>& text) {
  ASSERT_TRUE(text) << text.error().message();
  const fs::path path = fs::path(SEALIFT_TEST_DATA) / "render" / name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file_atomically(path, *text));
  }
  const auto expected = read_file(path, 1 << 20);
  ASSERT_TRUE(expected) << expected.error().message() << " (UPDATE_GOLDEN=1 makes it)";
  EXPECT_EQ(*text, *expected) << "differs from " << path << " (UPDATE_GOLDEN=1 accepts it)";
}

Cluster sample_cluster(const std::string& extra) { return parsed(sample("", extra)); }

Cluster sample_cluster_with_balancers() {
  return parsed(
      sample("  - {name: lb1, address: 192.168.2.8, roles: [load-balancer]}\n"
             "  - {name: lb2, address: 192.168.2.9, roles: [load-balancer]}\n",
             ""));
}

}  // namespace sealift::installer
