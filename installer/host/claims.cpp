// Does somebody in the network have this address?
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>

#include "installer/host/facts_parts.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

using ProbeClock = std::chrono::steady_clock;
constexpr int kProbes = 3;
constexpr auto kProbeInterval = std::chrono::milliseconds(200);

using Mac = std::array<std::uint8_t, 6>;

/// The interface to ask on, and what this host is called there.
struct Link {
  std::string interface {};
  std::string address{};
  int index = 0;
  Mac mac{};
};

std::string mac_text(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}

Mac parse_mac(const std::string& text) {
  Mac mac{};
  for (std::size_t i = 0; i < mac.size() && i * 3 + 1 < text.size(); ++i) {
    mac[i] = static_cast<std::uint8_t>(std::strtoul(text.substr(i * 3, 2).c_str(), nullptr, 16));
  }
  return mac;
}

/// Sends the probe up to kProbes times, until `claimant` reads from an answer who has the address.
void ask(const FileDescriptor& socket, std::string_view probe, const sockaddr* to, socklen_t to_size,
         const std::function<std::string(std::string_view)>& claimant, ClaimFact& fact) {
  for (int i = 0; i < kProbes && fact.answered_by.empty(); ++i) {
    if (::sendto(socket.get(), probe.data(), probe.size(), 0, to, to_size) !=
        static_cast<ssize_t>(probe.size()))
      return;
    fact.probed = true;
    const auto end = ProbeClock::now() + kProbeInterval;
    while (fact.answered_by.empty()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - ProbeClock::now());
      pollfd waiting{socket.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
      std::array<char, 1500> answer{};
      const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), 0);
      if (size > 0) fact.answered_by = claimant({answer.data(), static_cast<std::size_t>(size)});
    }
  }
}

struct ArpPacket {
  ether_header ethernet;
  arphdr arp;
  Mac sender_mac;
  in_addr sender_address;
  Mac target_mac;
  in_addr target_address;
} __attribute__((packed));

ArpPacket make_arp_probe(const Mac& own, const in_addr& address) {
  ArpPacket packet{};
  std::memset(packet.ethernet.ether_dhost, 0xff, own.size());
  std::memcpy(packet.ethernet.ether_shost, own.data(), own.size());
  packet.ethernet.ether_type = htons(ETHERTYPE_ARP);
  packet.arp.ar_hrd = htons(ARPHRD_ETHER);
  packet.arp.ar_pro = htons(ETHERTYPE_IP);
  packet.arp.ar_hln = 6;
  packet.arp.ar_pln = 4;
  packet.arp.ar_op = htons(ARPOP_REQUEST);
  packet.sender_mac = own;
  packet.target_address = address;
  return packet;
}

/// The MAC of a frame that says "this address is mine" (a reply, or anybody's probe or announcement of it),
/// unless it is our own frame.
std::string arp_claimant(std::string_view frame, const in_addr& address, const Mac& own) {
  ArpPacket packet{};
  if (frame.size() < sizeof packet) return {};
  std::memcpy(&packet, frame.data(), sizeof packet);
  const in_addr sender = packet.sender_address;
  const Mac mac = packet.sender_mac;
  if (packet.ethernet.ether_type != htons(ETHERTYPE_ARP) || sender.s_addr != address.s_addr || mac == own)
    return {};
  return mac_text(mac);
}

void ask_by_arp(const Link& link, const in_addr& address, ClaimFact& fact) {
  const FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE_ARP)));
  if (!socket) return;
  sockaddr_ll everybody{};
  everybody.sll_family = AF_PACKET;
  everybody.sll_protocol = htons(ETHERTYPE_ARP);
  everybody.sll_ifindex = link.index;
  const auto* to = reinterpret_cast<const sockaddr*>(&everybody);
  if (::bind(socket.get(), to, sizeof everybody) != 0) return;
  const ArpPacket probe = make_arp_probe(link.mac, address);
  ask(
      socket, {reinterpret_cast<const char*>(&probe), sizeof probe}, to, sizeof everybody,
      [&](std::string_view frame) { return arp_claimant(frame, address, link.mac); }, fact);
}

/// Neighbor Solicitation, RFC 4861 section 4.3; the kernel fills in the checksum.
struct SolicitationPacket {
  nd_neighbor_solicit solicitation;
  nd_opt_hdr option;
  Mac own;
} __attribute__((packed));

/// The MAC in a Neighbor Advertisement (section 4.4) of that address; it must be there when a solicitation
/// went to many.
std::string advertised_by(std::string_view packet, const in6_addr& address) {
  nd_neighbor_advert advertisement{};
  if (packet.size() < sizeof advertisement) return {};
  std::memcpy(&advertisement, packet.data(), sizeof advertisement);
  if (advertisement.nd_na_type != ND_NEIGHBOR_ADVERT ||
      std::memcmp(&advertisement.nd_na_target, &address, sizeof address) != 0)
    return {};
  packet.remove_prefix(sizeof advertisement);
  nd_opt_hdr option{};
  while (packet.size() >= sizeof option) {
    std::memcpy(&option, packet.data(), sizeof option);
    const std::size_t size = std::size_t{option.nd_opt_len} * 8;
    if (size == 0 || size > packet.size()) break;
    if (option.nd_opt_type == ND_OPT_TARGET_LINKADDR) {
      Mac mac{};
      std::memcpy(mac.data(), packet.data() + sizeof option, mac.size());
      return mac_text(mac);
    }
    packet.remove_prefix(size);
  }
  return {};
}

void ask_by_neighbor_discovery(const Link& link, const in6_addr& address, ClaimFact& fact) {
  const FileDescriptor socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
  if (!socket) return;
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
  const int hops = 255;
  sockaddr_in6 own{};
  own.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, link.address.c_str(), &own.sin6_addr);
  own.sin6_scope_id = static_cast<std::uint32_t>(link.index);
  if (::setsockopt(socket.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) != 0 ||
      ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, link.interface.data(),
                   static_cast<socklen_t>(link.interface.size())) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
    return;
  // The solicited-node group, RFC 4291 section 2.7.1: ff02::1:ff and the address' last three bytes.
  sockaddr_in6 group{};
  group.sin6_family = AF_INET6;
  group.sin6_scope_id = static_cast<std::uint32_t>(link.index);
  ::inet_pton(AF_INET6, "ff02::1:ff00:0", &group.sin6_addr);
  std::memcpy(group.sin6_addr.s6_addr + 13, address.s6_addr + 13, 3);

  SolicitationPacket probe{};
  probe.solicitation.nd_ns_type = ND_NEIGHBOR_SOLICIT;
  probe.solicitation.nd_ns_target = address;
  probe.option = {ND_OPT_SOURCE_LINKADDR, 1};
  probe.own = link.mac;
  ask(
      socket, {reinterpret_cast<const char*>(&probe), sizeof probe},
      reinterpret_cast<const sockaddr*>(&group), sizeof group,
      [&](std::string_view packet) { return advertised_by(packet, address); }, fact);
}

/// Whether two addresses of one family (4 or 16 bytes) begin with the same `prefix` bits.
bool same_subnet(const std::uint8_t* left, const std::uint8_t* right, unsigned prefix) {
  const std::size_t whole = prefix / 8;
  const unsigned rest = prefix % 8;
  if (std::memcmp(left, right, whole) != 0) return false;
  return rest == 0 || ((left[whole] ^ right[whole]) >> (8 - rest)) == 0;
}

/// The interface of this host in whose subnet the address (4 or 16 bytes) lies.
std::optional<Link> find_link(int family, const std::uint8_t* address, const Facts& facts) {
  for (const InterfaceAddress& own : facts.addresses) {
    std::array<std::uint8_t, 16> bytes{};
    // A /32 is a floating address itself and says nothing of the network around it.
    if (own.interface == "lo" || own.prefix == 0 || own.prefix >= (family == AF_INET ? 32U : 128U) ||
        ::inet_pton(family, own.address.c_str(), bytes.data()) != 1 ||
        !same_subnet(bytes.data(), address, own.prefix))
      continue;
    for (const InterfaceFact& interface : facts.interfaces)
      if (interface.name == own.interface && !interface.mac.empty())
        return Link{interface.name, own.address, static_cast<int>(::if_nametoindex(interface.name.c_str())),
                    parse_mac(interface.mac)};
  }
  return std::nullopt;
}

ClaimFact probe_claim(const std::string& address, const Facts& facts) {
  ClaimFact fact{.address = address};
  fact.own = std::any_of(facts.addresses.begin(), facts.addresses.end(),
                         [&](const InterfaceAddress& own) { return own.address == address; });
  if (fact.own) return fact;
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) {
    const auto link = find_link(AF_INET, reinterpret_cast<const std::uint8_t*>(&four), facts);
    if (link) ask_by_arp(*link, four, fact);
  } else if (::inet_pton(AF_INET6, address.c_str(), &six) == 1) {
    const auto link = find_link(AF_INET6, six.s6_addr, facts);
    if (link) ask_by_neighbor_discovery(*link, six, fact);
  }
  return fact;
}

}  // namespace

std::vector<ClaimFact> probe_claims(const std::vector<std::string>& addresses, const Facts& facts) {
  std::vector<ClaimFact> result;
  for (const std::string& address : addresses) result.push_back(probe_claim(address, facts));
  return result;
}

}  // namespace sealift::installer
