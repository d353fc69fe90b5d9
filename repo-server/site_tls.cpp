#include "repo-server/site_tls.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sealift::repo_server {
namespace {

constexpr std::uint64_t kMaxPemBytes = 64 * 1024;
constexpr std::chrono::days kRenewBefore{30};

std::string interface_address(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) return {};
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

Result<CertifiedKey> read_pair(const fs::path& certificate, const fs::path& key) {
  CertifiedKey pair;
  TRY_ASSIGN(pair.certificate_pem, read_file(certificate, kMaxPemBytes));
  struct stat info {};
  if (::stat(key.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return fail(ErrorCode::untrusted, "{}: others can read this private key (mode {:o}); make it 0600",
                key.string(), info.st_mode & 0777);
  }
  TRY_ASSIGN(pair.key_pem, read_file(key, kMaxPemBytes));
  TRY_ASSIGN(const bool matches, within(key_matches(pair), certificate.string()));
  if (!matches)
    return fail(ErrorCode::conflict, "{} does not belong to {}", key.string(), certificate.string());
  return pair;
}

Status write_pair(const fs::path& certificate, const fs::path& key, const CertifiedKey& pair) {
  TRY(write_file_atomically(key, pair.key_pem, 0600));
  return write_file_atomically(certificate, pair.certificate_pem, 0644);
}

std::string authority_name() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return fmt::format("Sealift site CA ({})", host.data());
}

Result<CertifiedKey> site_authority(const std::optional<fs::path>& directory, Timestamp now) {
  if (!directory) return create_authority(authority_name(), now);
  const fs::path certificate = *directory / "ca.crt";
  const fs::path key = *directory / "ca.key";
  if (fs::exists(certificate) || fs::exists(key)) {
    TRY_ASSIGN(auto pair, read_pair(certificate, key));
    TRY_ASSIGN(const CertificateInfo info, read_certificate(pair.certificate_pem, certificate.string()));
    if (info.not_after <= now) {
      return fail(ErrorCode::untrusted,
                  "{}: the site's CA expired at {}; move the folder away to have a new one made, then give "
                  "it to the clients",
                  certificate.string(), format_rfc3339(info.not_after));
    }
    return pair;
  }
  TRY_ASSIGN(auto pair, create_authority(authority_name(), now));
  TRY(write_pair(certificate, key, pair));
  return pair;
}

bool covers(const CertificateInfo& info, const ServerNames& names) {
  const auto has_all = [](const std::vector<std::string>& have, const std::vector<std::string>& want) {
    return std::ranges::all_of(
        want, [&](const std::string& name) { return std::ranges::find(have, name) != have.end(); });
  };
  return has_all(info.names.dns, names.dns) && has_all(info.names.addresses, names.addresses);
}

/// The stored server certificate if it is still good; anything wrong with it means a new one.
std::optional<CertifiedKey> stored_server(const fs::path& directory, const CertifiedKey& authority,
                                          const ServerNames& names, Timestamp now) {
  auto pair = read_pair(directory / "server.crt", directory / "server.key");
  if (!pair) return std::nullopt;
  const auto info = read_certificate(pair->certificate_pem, "server.crt");
  const auto signed_by = is_signed_by(pair->certificate_pem, authority.certificate_pem);
  if (!info || !signed_by || !*signed_by || !covers(*info, names) || info->not_after < now + kRenewBefore ||
      info->not_before > now)
    return std::nullopt;
  return std::move(*pair);
}

}  // namespace

ServerNames local_names(const std::vector<std::string>& more_names,
                        const std::vector<std::string>& more_addresses) {
  std::set<std::string> dns(more_names.begin(), more_names.end());
  std::set<std::string> addresses(more_addresses.begin(), more_addresses.end());
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) {
    std::string name = host.data();
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool usable = !name.empty() &&
                        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos;
    if (usable) dns.insert(name);
  }
  dns.insert("localhost");
  addresses.insert("127.0.0.1");
  addresses.insert("::1");
  ifaddrs* interfaces = nullptr;
  if (getifaddrs(&interfaces) == 0) {
    for (const ifaddrs* each = interfaces; each != nullptr; each = each->ifa_next) {
      const std::string address =
          each->ifa_addr == nullptr ? std::string() : interface_address(each->ifa_addr);
      if (!address.empty()) addresses.insert(address);
    }
    freeifaddrs(interfaces);
  }
  return {{dns.begin(), dns.end()}, {addresses.begin(), addresses.end()}};
}

Result<SiteTls> site_tls(const std::optional<fs::path>& state_directory, const ServerNames& names,
                         Timestamp now) {
  std::optional<fs::path> directory;
  if (state_directory) {
    directory = *state_directory / "tls";
    TRY(create_directories(*directory, 0755));
  }
  TRY_ASSIGN(const CertifiedKey authority, site_authority(directory, now));
  SiteTls tls;
  tls.ca_pem = authority.certificate_pem;
  TRY_ASSIGN(const CertificateInfo info, read_certificate(authority.certificate_pem, "ca.crt"));
  tls.ca_fingerprint = info.fingerprint;
  if (directory) {
    if (auto stored = stored_server(*directory, authority, names, now)) {
      tls.server = std::move(*stored);
      return tls;
    }
  }
  TRY_ASSIGN(tls.server, issue_server_certificate(authority, names, now));
  if (directory) TRY(write_pair(*directory / "server.crt", *directory / "server.key", tls.server));
  return tls;
}

Result<SiteTls> given_tls(const fs::path& certificate, const fs::path& key, Timestamp now) {
  SiteTls tls;
  TRY_ASSIGN(tls.server, read_pair(certificate, key));
  TRY_ASSIGN(const CertificateInfo info, read_certificate(tls.server.certificate_pem, certificate.string()));
  if (info.not_after <= now) {
    return fail(ErrorCode::untrusted, "{}: the certificate expired at {}", certificate.string(),
                format_rfc3339(info.not_after));
  }
  return tls;
}

}  // namespace sealift::repo_server
