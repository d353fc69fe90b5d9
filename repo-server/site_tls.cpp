#include "repo-server/site_tls.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo-server/process_environment.hpp"

namespace sealift::repo_server {
namespace {

constexpr std::uint64_t kMaxPemBytes = 64 * 1024;

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
  const mode_t forbidden = is_service_credential(key) ? 007 : 077;
  struct stat info {};
  if (::stat(key.c_str(), &info) == 0 && (info.st_mode & forbidden) != 0) {
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

/// Starts that share a folder make certificates one after the other; the lock goes with the descriptor.
Result<FileDescriptor> lock_folder(const fs::path& directory) {
  const fs::path path = directory / "lock";
  TRY_ASSIGN(FileDescriptor lock, open_file(path, O_RDWR | O_CREAT, 0600));
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno(errno, "cannot lock " + path.string());
  }
  return lock;
}

Result<CertifiedKey> read_authority(const fs::path& certificate, const fs::path& key, Timestamp now) {
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

Result<CertifiedKey> new_authority(const fs::path& certificate, const fs::path& key, Timestamp now) {
  TRY_ASSIGN(auto pair, create_authority(authority_name(), now));
  TRY(write_pair(certificate, key, pair));
  return pair;
}

/// The authority stored in the folder, or a new one where none was ever in use. A first start that was cut
/// short leaves a key alone, before any server certificate; anything else that lacks a part was in use.
Result<CertifiedKey> site_authority(const fs::path& directory, Timestamp now) {
  const fs::path certificate = directory / "ca.crt";
  const fs::path key = directory / "ca.key";
  const bool has_certificate = fs::exists(certificate);
  const bool has_key = fs::exists(key);
  if (has_certificate && has_key) return read_authority(certificate, key, now);
  const bool was_used = has_certificate || (has_key && fs::exists(directory / "server.crt"));
  if (!was_used) return new_authority(certificate, key, now);
  return fail(
      ErrorCode::conflict,
      "{}: missing, but {} is there; put the missing file back, or move {} away to have a new CA made, "
      "then give it to the clients",
      (has_key ? certificate : key).string(), (has_key ? key : certificate).string(), directory.string());
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

Result<SiteTls> with_authority(const CertifiedKey& authority, CertifiedKey server) {
  TRY_ASSIGN(const CertificateInfo info, read_certificate(authority.certificate_pem, "ca.crt"));
  return SiteTls{std::move(server), authority.certificate_pem, info.fingerprint};
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
  if (!state_directory) {
    TRY_ASSIGN(const CertifiedKey authority, create_authority(authority_name(), now));
    TRY_ASSIGN(auto server, issue_server_certificate(authority, names, now));
    return with_authority(authority, std::move(server));
  }
  const fs::path directory = *state_directory / "tls";
  TRY(create_directories(directory, 0755));
  TRY_ASSIGN(const FileDescriptor lock, lock_folder(directory));
  TRY_ASSIGN(const CertifiedKey authority, site_authority(directory, now));
  if (auto stored = stored_server(directory, authority, names, now))
    return with_authority(authority, std::move(*stored));
  TRY_ASSIGN(auto server, issue_server_certificate(authority, names, now));
  TRY(write_pair(directory / "server.crt", directory / "server.key", server));
  return with_authority(authority, std::move(server));
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
