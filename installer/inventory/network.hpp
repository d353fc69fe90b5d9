/// Numeric addresses and networks; nothing here ever asks a name service.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.hpp"

namespace sealift::installer {

/// An IPv4 or IPv6 address in its usual spelling, without zone or prefix.
class IpAddress {
 public:
  static Result<IpAddress> parse(std::string_view text);

  bool is_v6() const { return v6_; }
  /// Canonical text (inet_ntop).
  std::string str() const;
  /// As it stands before ":port" in a URL or nginx: IPv6 in brackets.
  std::string bracketed() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  bool is_loopback() const;
  bool is_unspecified() const;
  bool is_multicast() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  friend class Network;
  bool v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};  ///< IPv4: the first four
};

/// "10.244.0.0/16": host bits must be zero.
class Network {
 public:
  static Result<Network> parse(std::string_view text);
  /// The network of that prefix around an address (host bits are cleared).
  static Result<Network> around(const IpAddress& address, unsigned prefix);

  std::string str() const;
  unsigned prefix() const { return prefix_; }
  const IpAddress& base() const { return base_; }
  bool contains(const IpAddress& address) const;
  bool overlaps(const Network& other) const;
  /// base + `offset`, e.g. 1 for the first Service address. The caller keeps it within the network.
  IpAddress at(std::uint32_t offset) const;

  friend bool operator==(const Network&, const Network&) = default;

 private:
  IpAddress base_;
  unsigned prefix_ = 0;
};

}  // namespace sealift::installer
