#include "repo-server/http/listen.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sealift::repo_server::http {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kBacklog = 4096;      // the kernel caps it at net.core.somaxconn

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<SocketAddress> parse_address(const std::string& address, std::uint16_t port) {
  SocketAddress out;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.length = sizeof v4;
    return out;
  }
  std::string bare = address;
  if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
  if (inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.length = sizeof v6;
    return out;
  }
  return fail(ErrorCode::invalid_argument,
              "'{}' is not a numeric IPv4 or IPv6 address to listen on (host names are not looked up)",
              address);
}

int environment_number(const char* name) {
  const char* text = std::getenv(name);
  int value = 0;
  if (text == nullptr || std::from_chars(text, text + std::strlen(text), value).ec != std::errc()) return 0;
  return value;
}

Result<SocketAddress> name_of(const FileDescriptor& socket) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0) {
    return fail_errno(errno, "asking for the address of a listening socket");
  }
  return address;
}

std::uint16_t port_of(const SocketAddress& address) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  std::memcpy(&v6, &address.storage, sizeof v6);
  return ntohs(address.storage.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

std::string text_of(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), port_of(address));
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return fmt::format("{}:{}", text.data(), port_of(address));
}

}  // namespace

Result<FileDescriptor> listen_on(const std::string& address, std::uint16_t port) {
  TRY_ASSIGN(const SocketAddress where, parse_address(address, port));
  FileDescriptor socket(::socket(where.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno(errno, fmt::format("opening a socket for {}", address));
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // So that 0.0.0.0 and :: can both be listened on.
  if (where.get()->sa_family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(socket.get(), where.get(), where.length) != 0) {
    if (errno == EADDRINUSE) {
      return fail(ErrorCode::conflict,
                  "port {} of {} is in use by another program; stop it or choose another port", port,
                  address);
    }
    return fail_errno(errno, fmt::format("listening on {} port {}", address, port));
  }
  if (::listen(socket.get(), kBacklog) != 0)
    return fail_errno(errno, fmt::format("listening on {} port {}", address, port));
  return socket;
}

std::vector<FileDescriptor> inherited_sockets() {
  std::vector<FileDescriptor> sockets;
  if (environment_number("LISTEN_PID") != getpid()) return sockets;
  const int count = environment_number("LISTEN_FDS");
  for (int fd = kFirstInherited; fd < kFirstInherited + count && count <= 64; ++fd) {
    int listening = 0;
    socklen_t length = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0 || listening == 0) continue;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    sockets.emplace_back(fd);
  }
  return sockets;
}

Result<std::uint16_t> local_port(const FileDescriptor& socket) {
  TRY_ASSIGN(const SocketAddress address, name_of(socket));
  return port_of(address);
}

Result<std::string> address_text(const std::string& address, std::uint16_t port) {
  TRY_ASSIGN(const SocketAddress where, parse_address(address, port));
  return text_of(where);
}

Result<std::string> local_address(const FileDescriptor& socket) {
  TRY_ASSIGN(const SocketAddress address, name_of(socket));
  return text_of(address);
}

}  // namespace sealift::repo_server::http
