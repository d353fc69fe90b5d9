#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "installer/plan/open_site.hpp"

namespace sealift::installer {
namespace {

Result<IpAddress> from_sockaddr(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (storage.ss_family == AF_INET) {
    std::memcpy(&v4, &storage, sizeof v4);
    bytes = &v4.sin_addr;
  } else {
    std::memcpy(&v6, &storage, sizeof v6);
    bytes = &v6.sin6_addr;
  }
  inet_ntop(storage.ss_family, bytes, text.data(), text.size());
  return IpAddress::parse(text.data());
}

}  // namespace

Result<IpAddress> local_address_towards(const IpAddress& target) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  if (target.is_v6()) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(22);
    std::memcpy(&address.sin6_addr, target.bytes().data(), 16);
    length = sizeof address;
    std::memcpy(&storage, &address, length);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(22);
    std::memcpy(&address.sin_addr, target.bytes().data(), 4);
    length = sizeof address;
    std::memcpy(&storage, &address, length);
  }
  // Connecting a datagram socket sends nothing; it only asks the routing table.
  const FileDescriptor socket(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0)
    return fail(ErrorCode::network,
                "this machine has no route to {} ({}): run Sealift where the hosts can be reached, or set "
                "mirror.address",
                target.str(), std::strerror(errno));
  length = sizeof storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0)
    return fail_errno(errno, "cannot find the own address");
  return from_sockaddr(storage);
}

std::vector<IpAddress> own_addresses() {
  std::vector<IpAddress> result;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return result;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const auto family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (auto address = from_sockaddr(storage)) result.push_back(*address);
  }
  ::freeifaddrs(list);
  return result;
}

}  // namespace sealift::installer
