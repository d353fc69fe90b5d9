#include "installer/inventory/network.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace sealift::installer {

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress address;
  if (terminated.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) return address;
    address.bytes_.fill(0);
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) {
      address.v6_ = true;
      return address;
    }
  }
  return fail(ErrorCode::invalid_argument,
              "'{}' is not a numeric IP address (expected the form 192.168.2.11 or 2001:db8::11)",
              terminated);
}

std::string IpAddress::str() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::string IpAddress::bracketed() const { return v6_ ? "[" + str() + "]" : str(); }

bool IpAddress::is_loopback() const {
  if (!v6_) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](auto byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const { return v6_ ? bytes_[0] == 0xff : (bytes_[0] & 0xf0) == 0xe0; }

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view digits = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  unsigned prefix = 0;
  const auto end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, prefix);
  if (digits.empty() || digits.size() > 3 || parsed.ec != std::errc() || parsed.ptr != end)
    return fail(ErrorCode::invalid_argument, "'{}' is not a network (expected the form 10.244.0.0/16)", text);
  TRY_ASSIGN(const IpAddress address, IpAddress::parse(text.substr(0, slash)));
  TRY_ASSIGN(Network network, around(address, prefix));
  if (network.base_ != address)
    return fail(ErrorCode::invalid_argument, "'{}' has bits beyond its prefix: did you mean {}?", text,
                network.str());
  return network;
}

Result<Network> Network::around(const IpAddress& address, unsigned prefix) {
  const unsigned bits = address.is_v6() ? 128 : 32;
  if (prefix > bits)
    return fail(ErrorCode::invalid_argument, "a prefix of {} bits is too long for {}: at most {}", prefix,
                address.str(), bits);
  Network network;
  network.base_ = address;
  network.prefix_ = prefix;
  for (unsigned bit = prefix; bit < bits; ++bit)
    network.base_.bytes_[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  return network;
}

std::string Network::str() const { return fmt::format("{}/{}", base_.str(), prefix_); }

bool Network::contains(const IpAddress& address) const {
  if (address.is_v6() != base_.is_v6()) return false;
  const auto around_it = around(address, prefix_);
  return around_it && around_it->base_ == base_;
}

bool Network::overlaps(const Network& other) const {
  return prefix_ <= other.prefix_ ? contains(other.base_) : other.contains(base_);
}

IpAddress Network::at(std::uint32_t offset) const {
  IpAddress address = base_;
  std::uint64_t carry = offset;
  for (std::size_t i = address.v6_ ? 16 : 4; i-- > 0 && carry != 0;) {
    carry += address.bytes_[i];
    address.bytes_[i] = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
  }
  return address;
}

}  // namespace sealift::installer
