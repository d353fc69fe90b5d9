// Questions to the network: is a port reachable, which VRRP routers speak here?
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "installer/host/facts_parts.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kReachTimeout = std::chrono::milliseconds(2000);
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
