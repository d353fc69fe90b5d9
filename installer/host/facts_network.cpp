#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <sstream>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>

#include "installer/host/facts_parts.hpp"
#include "lib/base/files.hpp"
#include "lib/crypto/digest.hpp"

namespace sealift::installer {

namespace {

std::string numeric(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

unsigned prefix_of(const std::uint8_t* bytes, std::size_t count) {
  unsigned prefix = 0;
  for (std::size_t i = 0; i < count; ++i) prefix += static_cast<unsigned>(__builtin_popcount(bytes[i]));
  return prefix;
}

bool is_physical(const std::string& root, const std::string& name) {
  std::error_code ignored;
  return fs::exists(fmt::format("{}/sys/class/net/{}/device", root, name), ignored) ||
         name.starts_with("eth") || name.starts_with("en");
}

std::string mac_of(const sockaddr_ll& link) {
  if (link.sll_halen != 6) return {};
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", link.sll_addr[0], link.sll_addr[1],
                     link.sll_addr[2], link.sll_addr[3], link.sll_addr[4], link.sll_addr[5]);
}

void gather_interfaces(Facts& facts, const std::string& root) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr) continue;
    const std::string name = item->ifa_name;
    const int family = item->ifa_addr->sa_family;
    if (family == AF_PACKET) {
      sockaddr_ll link{};
      std::memcpy(&link, item->ifa_addr, sizeof link);
      facts.interfaces.push_back(
          {name, mac_of(link), (item->ifa_flags & IFF_UP) != 0, is_physical(root, name)});
    } else if (family == AF_INET && item->ifa_netmask != nullptr) {
      sockaddr_in address{};
      sockaddr_in mask{};
      std::memcpy(&address, item->ifa_addr, sizeof address);
      std::memcpy(&mask, item->ifa_netmask, sizeof mask);
      std::array<std::uint8_t, 4> bits{};
      std::memcpy(bits.data(), &mask.sin_addr, bits.size());
      facts.addresses.push_back(
          {name, numeric(AF_INET, &address.sin_addr), prefix_of(bits.data(), bits.size())});
    } else if (family == AF_INET6 && item->ifa_netmask != nullptr) {
      sockaddr_in6 address{};
      sockaddr_in6 mask{};
      std::memcpy(&address, item->ifa_addr, sizeof address);
      std::memcpy(&mask, item->ifa_netmask, sizeof mask);
      facts.addresses.push_back(
          {name, numeric(AF_INET6, &address.sin6_addr), prefix_of(mask.sin6_addr.s6_addr, 16)});
    }
  }
  ::freeifaddrs(list);
}

/// Sixteen bytes as the kernel writes them: 32 hexadecimal digits.
std::optional<std::array<std::uint8_t, 16>> v6_from_hex(const std::string& text) {
  std::array<std::uint8_t, 16> bytes{};
  if (text.size() != 2 * bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* begin = text.data() + 2 * i;
    if (std::from_chars(begin, begin + 2, bytes[i], 16).ptr != begin + 2) return std::nullopt;
  }
  return bytes;
}

/// /proc/net/route: hexadecimal words in the machine's own byte order.
void gather_routes(Facts& facts) {
  const auto text = read_file("/proc/net/route", kMaxFactsFile);
  if (!text) return;
  std::istringstream lines(*text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    RouteFact route;
    std::uint32_t destination = 0;
    std::uint32_t gateway = 0;
    std::uint32_t mask = 0;
    std::string skipped;
    words >> route.interface >> std::hex >> destination >> gateway;
    for (int i = 0; i < 4; ++i) words >> skipped;
    if (!(words >> std::hex >> mask)) continue;
    route.destination = fmt::format("{}/{}", numeric(AF_INET, &destination), __builtin_popcount(mask));
    if (gateway != 0) route.gateway = numeric(AF_INET, &gateway);
    facts.routes.push_back(route);
  }
}

/// /proc/net/ipv6_route: destination, prefix, source, prefix, next hop, four numbers, interface; in
/// hexadecimal.
void gather_v6_routes(Facts& facts) {
  const auto text = read_file("/proc/net/ipv6_route", kMaxFactsFile);
  if (!text) return;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string destination;
    unsigned prefix = 0;
    std::string skipped;
    std::string gateway;
    RouteFact route;
    words >> destination >> std::hex >> prefix >> skipped >> skipped >> gateway;
    for (int i = 0; i < 4; ++i) words >> skipped;
    if (!(words >> route.interface) || route.interface == "lo") continue;
    const auto to = v6_from_hex(destination);
    const auto via = v6_from_hex(gateway);
    if (!to || !via) continue;
    route.destination = fmt::format("{}/{}", numeric(AF_INET6, to->data()), prefix);
    if (gateway.find_first_not_of('0') != std::string::npos) route.gateway = numeric(AF_INET6, via->data());
    facts.routes.push_back(route);
  }
}

bool read_nameservers(Facts& facts, const std::string& root, const std::string& path) {
  const auto text = read_file(root + path, kMaxFactsFile);
  if (!text) return false;
  facts.resolv_conf = path;
  facts.nameservers.clear();
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    if (words >> key >> value && key == "nameserver") facts.nameservers.push_back(value);
  }
  return true;
}

/// Where /etc/resolv.conf leads to systemd-resolved, kubeadm gives pods the file with resolved's own servers
/// (kubernetes, cmd/kubeadm/app/componentconfigs/kubelet.go).
void gather_nameservers(Facts& facts, const std::string& root) {
  if (!read_nameservers(facts, root, "/etc/resolv.conf")) return;
  if (facts.nameservers == std::vector<std::string>{"127.0.0.53"})
    read_nameservers(facts, root, "/run/systemd/resolve/resolv.conf");
}

struct Owner {
  std::uint32_t pid = 0;
  std::string program;
};

/// Socket inode -> the program that has it open.
std::map<std::string, Owner> socket_owners() {
  std::map<std::string, Owner> result;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string pid = process.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    for (const auto& file : fs::directory_iterator(process.path() / "fd", ignored)) {
      const std::string target = fs::read_symlink(file.path(), ignored).string();
      if (!target.starts_with("socket:[")) continue;
      std::string program = read_file(process.path() / "comm", 256).value_or("");
      if (program.ends_with('\n')) program.pop_back();
      result[target.substr(8, target.size() - 9)] = {static_cast<std::uint32_t>(std::stoul(pid)), program};
    }
  }
  return result;
}

/// "0100007F:1F90" or 32 hex digits and the port: words of 32 bits in the machine's byte order.
std::optional<std::pair<std::string, std::uint16_t>> parse_local(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i < colon / 8; ++i) {
    words[i] = static_cast<std::uint32_t>(std::strtoul(text.substr(i * 8, 8).c_str(), nullptr, 16));
  }
  const auto port = static_cast<std::uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 16));
  return std::pair{numeric(colon == 8 ? AF_INET : AF_INET6, words.data()), port};
}

void read_sockets(const char* path, const char* protocol, const char* wanted_state,
                  const std::map<std::string, Owner>& owners, std::vector<ListenerFact>& listeners) {
  const auto text = read_file(path, kMaxFactsFile);
  if (!text) return;
  std::istringstream lines(*text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (fields.size() < 10 || fields[3] != wanted_state) continue;
    const auto local = parse_local(fields[1]);
    if (!local) continue;
    ListenerFact fact{protocol, local->first, local->second, {}, 0};
    if (const auto owner = owners.find(fields[9]); owner != owners.end()) {
      fact.program = owner->second.program;
      fact.pid = owner->second.pid;
    }
    listeners.push_back(std::move(fact));
  }
}

}  // namespace

void gather_network(Facts& facts, const std::string& root) {
  gather_interfaces(facts, root);
  gather_routes(facts);
  gather_v6_routes(facts);
  gather_nameservers(facts, root);
}

void gather_listeners(Facts& facts, const std::string&) {
  const auto owners = socket_owners();
  // 0A is TCP_LISTEN; an unconnected UDP socket is in state 07.
  read_sockets("/proc/net/tcp", "tcp", "0A", owners, facts.listeners);
  read_sockets("/proc/net/tcp6", "tcp", "0A", owners, facts.listeners);
  read_sockets("/proc/net/udp", "udp", "07", owners, facts.listeners);
  read_sockets("/proc/net/udp6", "udp", "07", owners, facts.listeners);
}

}  // namespace sealift::installer
