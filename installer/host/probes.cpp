// Questions to the network: is a port reachable, does somebody have this address, which VRRP routers speak
// here?
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "installer/host/facts_parts.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kReachTimeout = std::chrono::milliseconds(2000);
constexpr int kArpProbes = 3;
constexpr auto kArpInterval = std::chrono::milliseconds(200);
constexpr int kVrrpProtocol = 112;

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(0, left));
}

FileDescriptor begin_connect(const AddressPort& target, ReachFact& fact) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  const sockaddr* address = nullptr;
  socklen_t length = 0;
  if (::inet_pton(AF_INET, target.address.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(target.port);
    address = reinterpret_cast<const sockaddr*>(&four);
    length = sizeof four;
  } else if (::inet_pton(AF_INET6, target.address.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(target.port);
    address = reinterpret_cast<const sockaddr*>(&six);
    length = sizeof six;
  } else {
    fact.error = "not a numeric address";
    return {};
  }
  FileDescriptor socket(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    fact.error = std::strerror(errno);
    return {};
  }
  if (::connect(socket.get(), address, length) == 0) {
    fact.reachable = true;
    return {};
  }
  if (errno == EINPROGRESS) return socket;
  fact.refused = errno == ECONNREFUSED;
  fact.error = std::strerror(errno);
  return {};
}

void end_connect(const FileDescriptor& socket, ReachFact& fact) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  fact.reachable = error == 0;
  fact.refused = error == ECONNREFUSED;
  if (error != 0) fact.error = std::strerror(error);
}

struct ArpPacket {
  ether_header ethernet;
  arphdr arp;
  std::array<std::uint8_t, 6> sender_mac;
  std::array<std::uint8_t, 4> sender_address;
  std::array<std::uint8_t, 6> target_mac;
  std::array<std::uint8_t, 4> target_address;
} __attribute__((packed));

std::array<std::uint8_t, 6> parse_mac(const std::string& text) {
  std::array<std::uint8_t, 6> mac{};
  for (std::size_t i = 0; i < mac.size() && i * 3 + 1 < text.size(); ++i) {
    mac[i] = static_cast<std::uint8_t>(std::strtoul(text.substr(i * 3, 2).c_str(), nullptr, 16));
  }
  return mac;
}

ArpPacket make_probe(const std::array<std::uint8_t, 6>& mac, const in_addr& address) {
  ArpPacket packet{};
  std::memset(packet.ethernet.ether_dhost, 0xff, 6);
  std::memcpy(packet.ethernet.ether_shost, mac.data(), 6);
  packet.ethernet.ether_type = htons(ETHERTYPE_ARP);
  packet.arp.ar_hrd = htons(ARPHRD_ETHER);
  packet.arp.ar_pro = htons(ETHERTYPE_IP);
  packet.arp.ar_hln = 6;
  packet.arp.ar_pln = 4;
  packet.arp.ar_op = htons(ARPOP_REQUEST);
  packet.sender_mac = mac;
  std::memcpy(packet.target_address.data(), &address, 4);
  return packet;
}

/// The MAC of a frame that says "this address is mine" (a reply, or anybody's probe or announcement of it),
/// unless it is our own frame.
std::string claimant(const ArpPacket& packet, const in_addr& address,
                     const std::array<std::uint8_t, 6>& own) {
  if (packet.ethernet.ether_type != htons(ETHERTYPE_ARP)) return {};
  if (std::memcmp(packet.sender_address.data(), &address, 4) != 0) return {};
  const auto mac = packet.sender_mac;
  if (mac == own) return {};
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}

void probe_on(const std::string& interface, const std::string& mac_text, ArpFact& fact) {
  in_addr address{};
  ::inet_pton(AF_INET, fact.address.c_str(), &address);
  const FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE_ARP)));
  if (!socket) return;
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(ETHERTYPE_ARP);
  link.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&link), sizeof link) != 0) return;
  const auto mac = parse_mac(mac_text);
  const ArpPacket probe = make_probe(mac, address);
  for (int i = 0; i < kArpProbes && fact.answered_by.empty(); ++i) {
    if (::send(socket.get(), &probe, sizeof probe, 0) != static_cast<ssize_t>(sizeof probe)) return;
    fact.probed = true;
    const auto end = Clock::now() + kArpInterval;
    while (fact.answered_by.empty()) {
      pollfd waiting{socket.get(), POLLIN, 0};
      if (::poll(&waiting, 1, milliseconds_until(end)) <= 0) break;
      ArpPacket answer{};
      if (::recv(socket.get(), &answer, sizeof answer, 0) < static_cast<ssize_t>(sizeof answer)) continue;
      fact.answered_by = claimant(answer, address, mac);
    }
  }
}

bool same_subnet(const std::string& left, const std::string& right, unsigned prefix) {
  in_addr a{};
  in_addr b{};
  if (::inet_pton(AF_INET, left.c_str(), &a) != 1 || ::inet_pton(AF_INET, right.c_str(), &b) != 1 ||
      prefix > 32)
    return false;
  const std::uint32_t mask = prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
  return ((ntohl(a.s_addr) ^ ntohl(b.s_addr)) & mask) == 0;
}

ArpFact probe_address(const std::string& address, const Facts& facts) {
  ArpFact fact{.address = address};
  for (const InterfaceAddress& own : facts.addresses) fact.own = fact.own || own.address == address;
  if (fact.own) return fact;
  for (const InterfaceAddress& own : facts.addresses) {
    if (own.interface == "lo" || own.prefix >= 32 || !same_subnet(own.address, address, own.prefix)) continue;
    const auto interface =
        std::find_if(facts.interfaces.begin(), facts.interfaces.end(),
                     [&](const InterfaceFact& item) { return item.name == own.interface; });
    if (interface == facts.interfaces.end() || interface->mac.empty()) continue;
    probe_on(interface->name, interface->mac, fact);
    break;
  }
  return fact;
}

}  // namespace

std::vector<ReachFact> probe_reach(const std::vector<AddressPort>& targets) {
  std::vector<ReachFact> facts;
  std::vector<FileDescriptor> sockets;
  for (const AddressPort& target : targets) {
    ReachFact fact{.target = target};
    sockets.push_back(begin_connect(target, fact));
    facts.push_back(std::move(fact));
  }
  const auto end = Clock::now() + kReachTimeout;
  for (;;) {
    std::vector<pollfd> polls;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (!sockets[i]) continue;
      polls.push_back({sockets[i].get(), POLLOUT, 0});
      which.push_back(i);
    }
    if (polls.empty() || ::poll(polls.data(), polls.size(), milliseconds_until(end)) <= 0) break;
    for (std::size_t k = 0; k < polls.size(); ++k) {
      if (polls[k].revents == 0) continue;
      end_connect(sockets[which[k]], facts[which[k]]);
      sockets[which[k]] = FileDescriptor();
    }
  }
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    if (sockets[i]) facts[i].error = "no answer within 2 s";
  }
  return facts;
}

std::vector<ArpFact> probe_arp(const std::vector<std::string>& addresses, const Facts& facts) {
  std::vector<ArpFact> result;
  for (const std::string& address : addresses) result.push_back(probe_address(address, facts));
  return result;
}

bool parse_vrrp(std::string_view packet, VrrpFact& fact) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(packet[at]); };
  if (packet.size() < 20 || (byte(0) >> 4) != 4 || byte(9) != kVrrpProtocol) return false;
  const std::size_t header = static_cast<std::size_t>(byte(0) & 0x0FU) * 4;
  if (header < 20 || packet.size() < header + 8) return false;
  std::array<char, INET_ADDRSTRLEN> text{};
  fact.source = ::inet_ntop(AF_INET, packet.data() + 12, text.data(), text.size());
  fact.version = byte(header) >> 4;
  if ((fact.version != 2 && fact.version != 3) || (byte(header) & 0x0FU) != 1) return false;
  fact.router_id = byte(header + 1);
  fact.priority = byte(header + 2);
  const std::size_t count = byte(header + 3);
  fact.addresses.clear();
  for (std::size_t i = 0; i < count && header + 12 + i * 4 <= packet.size(); ++i) {
    fact.addresses.emplace_back(
        ::inet_ntop(AF_INET, packet.data() + header + 8 + i * 4, text.data(), text.size()));
  }
  return true;
}

std::vector<VrrpFact> listen_vrrp(std::uint32_t milliseconds, const Facts& facts) {
  std::vector<VrrpFact> found;
  if (milliseconds == 0) return found;
  const FileDescriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, kVrrpProtocol));
  if (!socket) return found;
  for (const InterfaceFact& interface : facts.interfaces) {
    if (!interface.up || interface.name == "lo") continue;
    ip_mreqn group{};
    ::inet_pton(AF_INET, "224.0.0.18", &group.imr_multiaddr);
    group.imr_ifindex = static_cast<int>(::if_nametoindex(interface.name.c_str()));
    ::setsockopt(socket.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
  }
  const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
  while (milliseconds_until(end) > 0) {
    pollfd waiting{socket.get(), POLLIN, 0};
    if (::poll(&waiting, 1, milliseconds_until(end)) <= 0) break;
    std::array<char, 2048> packet{};
    const ssize_t size = ::recv(socket.get(), packet.data(), packet.size(), 0);
    VrrpFact fact;
    if (size <= 0 || !parse_vrrp(std::string_view(packet.data(), static_cast<std::size_t>(size)), fact))
      continue;
    const bool known = std::any_of(found.begin(), found.end(), [&](const VrrpFact& other) {
      return other.source == fact.source && other.router_id == fact.router_id;
    });
    if (!known) found.push_back(fact);
  }
  return found;
}

}  // namespace sealift::installer
