/// What the readers of cluster.yaml share. Every error begins with file, line and column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "installer/inventory/cluster.hpp"
#include "lib/base/yaml.hpp"

namespace sealift::installer {

using yaml::Node;

/// "known: a, b, c; did you mean b?"
template <typename Range, typename Name>
std::string suggestion(std::string_view word, const Range& range, Name name) {
  std::vector<std::string> known;
  for (const auto& item : range) known.emplace_back(name(item));
  std::string text = fmt::format("known are {}", fmt::join(known, ", "));
  if (const auto near = yaml::nearest(word, known)) text += fmt::format("; did you mean '{}'?", *near);
  return text;
}

/// Puts the place of the value in front of what a value parser says.
template <typename T>
Result<T> at(const Node& node, Result<T> result) {
  if (result) return result;
  return tl::unexpected<Error>(std::move(result).error().within(node.place()));
}

/// 1 to 65535.
Result<std::uint16_t> read_port(const Node& node);

/// An address that a host can have: not loopback, unspecified or multicast.
Result<IpAddress> read_host_address(const Node& node);

/// `settings` with what the section `ssh:` changes of it.
Result<SshSettings> read_ssh(const Node& node, SshSettings settings);

/// One entry of `hosts:`; `ssh` is the cluster's.
Result<Host> read_host(const Node& node, const SshSettings& ssh);

}  // namespace sealift::installer
